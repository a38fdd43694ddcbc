import { afterAll, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { CHAT, PROVIDER_KEY, proxyForTests, until } from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
const proxy = await proxyForTests({ upstream: upstream.url });

const AUTHORIZATION = `Bearer ${PROVIDER_KEY}`;
const MIRROR = { url: "/v1/chat/completions", headers: { authorization: AUTHORIZATION } };
const SSE = { "content-type": "text/event-stream" };
const KEY_HEADERS = { authorization: AUTHORIZATION, "x-api-key": PROVIDER_KEY, echo: PROVIDER_KEY };

/** Ways in which something that is no provider says back what it was sent: a debugging server, say. */
const ECHOES: { name: string; serve: (socket: Socket) => void }[] = [
  {
    name: "as JSON, with status 200",
    serve: (socket) => void socket.write(rawAnswer(200, JSON.stringify(MIRROR), KEY_HEADERS)),
  },
  {
    name: "as text, with status 200",
    serve: (socket) => void socket.write(rawAnswer(200, `authorization: ${AUTHORIZATION}\r\n`)),
  },
  {
    name: "as events",
    serve: (socket) =>
      void socket.write(rawAnswer(200, `data: ${JSON.stringify(MIRROR)}\n\n`, SSE)),
  },
  {
    name: "as comments, names and ids of events",
    serve: (socket) => {
      const text = `: ${AUTHORIZATION}\nevent: ${PROVIDER_KEY}\nid: ${PROVIDER_KEY}\ndata: {}\n\n`;
      socket.write(rawAnswer(200, text, SSE));
    },
  },
  {
    name: "as the reason and headers of a refusal",
    serve: (socket) => {
      const head = `HTTP/1.1 400 ${PROVIDER_KEY}\r\nretry-after: ${PROVIDER_KEY}\r\n`;
      const named = Object.entries(KEY_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`${head}${named.join("")}content-length: 0\r\n\r\n`);
    },
  },
  {
    name: "as no HTTP at all",
    serve: (socket) =>
      void socket.end(`POST / HTTP/1.1\r\nauthorization: ${AUTHORIZATION}\r\n\r\n`),
  },
];

test.each(ECHOES)("a provider key that comes back $name goes no further", async ({ serve }) => {
  for (const stream of [false, true]) {
    upstream.serve = serve;
    const { status, text, headers } = await proxy.call({ ...CHAT, stream });
    expect(status).toBe(502);
    const said = text + JSON.stringify([...headers]) + proxy.logged;
    for (let at = 0; at + 12 <= PROVIDER_KEY.length; at += 1)
      expect(said).not.toContain(PROVIDER_KEY.slice(at, at + 12));
  }
  await until(() => proxy.app.callsInFlight === 0);
});
