import { afterAll, expect, test } from "bun:test";
import type { Socket } from "node:net";
import {
  CHAT,
  chunk,
  completion,
  EventReader,
  eventsOf,
  proxyForTests,
  until,
} from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());

const closed = await startRawUpstream();
await closed.stop();

const proxy = await proxyForTests({
  upstream: upstream.url,
  providers: ["openai", "mistral"],
  flags: [
    "--allow-upstream",
    new URL(closed.url).host,
    "--upstream-headers-timeout-s",
    "60",
    "--upstream-idle-timeout-s",
    "40",
  ],
});

const STREAM = { ...CHAT, stream: true };
const WHOLE = JSON.stringify(completion(5, 3));
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
const CHUNKED = `${HEAD}transfer-encoding: chunked\r\n\r\n`;

function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Ends a connection by a reset once what was written has left. */
function writeAndReset(socket: Socket, text: string): void {
  socket.write(text, () => setImmediate(() => socket.resetAndDestroy()));
}

async function lastCall() {
  await proxy.idle();
  return (await proxy.calls()).at(-1);
}

test("a provider that refuses the connection: 502 without a status, and nothing is charged", async () => {
  await proxy.configure("mistral", { base_url: closed.url });
  for (const stream of [false, true]) {
    const answer = await proxy.call({ ...CHAT, model: "mistral/mistral-small-latest", stream });
    expect(answer.status).toBe(502);
    expect(answer.json.error).toEqual({
      message: "Cannot reach the provider",
      type: "upstream_error",
      param: null,
      code: "upstream_error",
      provider: "mistral",
      upstream_status: null,
      upstream_body: null,
    });
    expect(answer.headers.has("x-upstream-status")).toBe(false);
    expect(answer.headers.get("x-should-retry")).toBe("true");
    expect(await lastCall()).toMatchObject({
      state: "voided",
      ending: "upstream_failed",
      upstream_status: null,
      input_tokens: 0,
      cost_microcents: 0,
    });
  }
});

const SILENT_ENDS: readonly { readonly name: string; readonly serve: (socket: Socket) => void }[] =
  [
    { name: "resets the connection", serve: (socket) => void socket.resetAndDestroy() },
    { name: "closes the connection", serve: (socket) => void socket.end() },
    {
      name: "answers with no HTTP",
      serve: (socket) => void socket.end("SSH-2.0-OpenSSH\r\n\r\n"),
    },
    {
      name: "closes in the middle of its headers",
      serve: (socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-ty"),
    },
  ];

for (const { name, serve } of SILENT_ENDS) {
  test.each([false, true])(
    `a provider that ${name} before it answers (stream: %p): 502, and the input is charged`,
    async (stream) => {
      upstream.serve = serve;
      const before = upstream.count();
      const answer = await proxy.call({ ...CHAT, stream });
      expect(answer.status).toBe(502);
      expect(answer.json.error).toMatchObject({ code: "upstream_error", upstream_status: null });
      // The request had been sent: it is not sent twice, and tokens may have been spent on it.
      expect(upstream.count()).toBe(before + 1);
      const row = await lastCall();
      expect(row).toMatchObject({ state: "posted", ending: "upstream_failed", estimated: 1 });
      expect(row?.input_tokens).toBeGreaterThan(0);
    },
  );
}

const CUT_WHOLE: readonly { readonly name: string; readonly serve: (socket: Socket) => void }[] = [
  {
    name: "cut by a close",
    serve: (socket) => void socket.end(rawAnswer(200, WHOLE).slice(0, -50)),
  },
  {
    name: "cut by a reset",
    serve: (socket) => writeAndReset(socket, rawAnswer(200, WHOLE).slice(0, -50)),
  },
  {
    name: "cut between two chunks",
    serve: (socket) => void socket.end(CHUNKED + framed(WHOLE.slice(0, 50))),
  },
  { name: "that is no JSON", serve: (socket) => void socket.write(rawAnswer(200, "Hello")) },
  { name: "that is cut JSON", serve: (socket) => void socket.write(rawAnswer(200, '{"id":')) },
  { name: "that is empty", serve: (socket) => void socket.write(rawAnswer(200, "")) },
  {
    name: "of another kind",
    serve: (socket) => void socket.write(rawAnswer(200, '{"object":"list","data":[]}')),
  },
];

test.each(CUT_WHOLE)(
  "a whole answer $name: 502, and what was held is charged",
  async ({ serve }) => {
    upstream.serve = serve;
    const answer = await proxy.call({ ...CHAT, max_tokens: 77 });
    expect(answer.status).toBe(502);
    expect(answer.json.error).toMatchObject({ code: "upstream_error", provider: "openai" });
    expect(answer.json.error.message).toMatch(/\w/);
    // What says nothing about itself may have been generated.
    expect(await lastCall()).toMatchObject({
      state: "posted",
      ending: "upstream_failed",
      upstream_status: 200,
      estimated: 1,
      output_tokens: 77,
    });
  },
);

test("an error in the guise of a whole answer is an error, and nothing is charged", async () => {
  const error = { message: "No capacity", type: "server_error", code: "no_capacity", param: null };
  upstream.serve = (socket) => void socket.write(rawAnswer(200, JSON.stringify({ error })));
  const answer = await proxy.call();
  expect(answer.status).toBe(502);
  expect(answer.json.error).toMatchObject({ message: "No capacity", upstream_body: { error } });
  expect(await lastCall()).toMatchObject({ state: "voided", input_tokens: 0 });
});

const CUT_STREAMS: readonly { readonly name: string; readonly end: (socket: Socket) => void }[] = [
  { name: "a close", end: (socket) => void socket.end() },
  { name: "a reset", end: (socket) => void socket.resetAndDestroy() },
  { name: "bytes that are no chunk", end: (socket) => void socket.end("zz\r\nnonsense") },
];

test.each(CUT_STREAMS)(
  "a stream cut by $name ends with an error event, charged by what passed",
  async ({ end }) => {
    const { promise: socket, resolve } = Promise.withResolvers<Socket>();
    upstream.serve = (opened) => {
      opened.write(CHUNKED + framed(chunk({ content: "x".repeat(35) })));
      resolve(opened);
    };
    const reader = new EventReader(await proxy.send(STREAM));
    expect((await reader.json()).choices[0].delta.content).toBe("x".repeat(35));
    end(await socket);
    const events = await reader.rest();
    expect(events).toHaveLength(1);
    expect(JSON.parse(events[0] ?? "")).toEqual({
      error: {
        message: "The provider cut its answer off",
        type: "server_error",
        param: null,
        code: "upstream_stream_interrupted",
      },
    });
    expect(await lastCall()).toMatchObject({
      state: "posted",
      ending: "upstream_failed",
      estimated: 1,
      output_tokens: 10,
      upstream_status: 200,
    });
  },
);

test("a stream cut before its first event is an HTTP error", async () => {
  upstream.serve = (socket) => void socket.end(CHUNKED + framed(": hello\n\n"));
  const answer = await proxy.call(STREAM);
  expect(answer.status).toBe(502);
  expect(answer.json.error).toMatchObject({ code: "upstream_error", upstream_status: null });
});

test.each([301, 302, 303, 307, 308])(
  "a redirect %i is not followed: nobody there hears of it",
  async (status) => {
    const elsewhere = await startRawUpstream();
    try {
      elsewhere.serve = (socket) => void socket.write(rawAnswer(200, WHOLE));
      upstream.serve = (socket) =>
        void socket.write(rawAnswer(status, "", { location: `${elsewhere.url}/v1/steal` }));
      for (const stream of [false, true]) {
        const answer = await proxy.call({ ...CHAT, stream });
        expect(answer.status).toBe(502);
        expect(answer.json.error).toMatchObject({
          code: "upstream_error",
          upstream_status: status,
        });
        expect(answer.headers.get("x-should-retry")).toBe("false");
        expect(answer.headers.has("location")).toBe(false);
        expect(answer.text).not.toContain(elsewhere.url);
      }
      expect(elsewhere.count()).toBe(0);
    } finally {
      await elsewhere.stop();
    }
  },
);

test("headers that do not come in time: 504, not to be tried again, charged as if complete", async () => {
  const before = upstream.count();
  upstream.serve = () => {};
  const answering = proxy.call({ ...CHAT, max_tokens: 77 });
  await until(() => upstream.count() > before);
  proxy.pass(59_999);
  expect(proxy.app.callsInFlight).toBe(1);
  proxy.pass(1);
  const { status, headers, json } = await answering;
  expect(status).toBe(504);
  expect(headers.get("x-should-retry")).toBe("false");
  expect(json.error).toMatchObject({ code: "upstream_timeout", param: null });
  expect(await lastCall()).toMatchObject({
    state: "posted",
    ending: "upstream_failed",
    estimated: 1,
    upstream_status: null,
    output_tokens: 77,
  });
});

test("a stream that pauses too long ends with an error event, and each piece buys more time", async () => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  upstream.serve = (socket) => {
    socket.write(CHUNKED + framed(chunk({ content: "one" })));
    resolve(socket);
  };
  const reader = new EventReader(await proxy.send(STREAM));
  await reader.next();
  const socket = await promise;
  proxy.pass(39_999);
  socket.write(framed(chunk({ content: "two" })));
  await reader.next();
  proxy.pass(39_999);
  expect(proxy.app.callsInFlight).toBe(1);
  const hungUp = new Promise((done) => socket.once("close", done));
  proxy.pass(1);
  const { error } = JSON.parse((await reader.rest()).at(-1) ?? "");
  expect(error).toMatchObject({ type: "upstream_error", param: null, code: "upstream_timeout" });
  await hungUp;
  expect(await lastCall()).toMatchObject({ ending: "upstream_failed", output_tokens: 2 });
});

test("a whole answer that stops in the middle for too long is a 504", async () => {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  upstream.serve = (socket) => {
    const answer = rawAnswer(200, WHOLE);
    socket.write(answer.slice(0, -50), () => resolve());
  };
  const answering = proxy.call({ ...CHAT, max_tokens: 77 });
  let answered = false;
  void answering.then(() => {
    answered = true;
  });
  await begun;
  await until(() => {
    proxy.pass(40_000);
    return answered;
  });
  expect((await answering).status).toBe(504);
  expect(await lastCall()).toMatchObject({ ending: "upstream_failed", output_tokens: 77 });
});

test("a connection that the provider closes after its answer does no harm to the next call", async () => {
  upstream.serve = (socket) => void socket.end(rawAnswer(200, WHOLE, { connection: "close" }));
  for (let round = 0; round < 5; round += 1) expect((await proxy.call()).status).toBe(200);
});

test("a compressed answer that nobody asked for is an error, not garbage", async () => {
  const body = Bun.gzipSync(new TextEncoder().encode(WHOLE));
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n" +
    `content-length: ${body.length}\r\n\r\n`;
  upstream.serve = (socket) => void socket.write(Buffer.concat([Buffer.from(head), body]));
  const answer = await proxy.call();
  expect(answer.status).toBe(502);
  expect(answer.headers.has("content-encoding")).toBe(false);
});

test("headers of the provider do not reach the client", async () => {
  const given = {
    "set-cookie": "session=1",
    server: "upstream",
    "openai-organization": "org-secret",
    "x-request-id": "req_upstream",
    "x-should-retry": "true",
    "x-ratelimit-limit-requests": "7",
  };
  for (const status of [200, 400]) {
    upstream.serve = (socket) => void socket.write(rawAnswer(status, WHOLE, given));
    const { headers } = await proxy.call();
    expect(headers.has("set-cookie")).toBe(false);
    expect(headers.has("server")).toBe(false);
    expect(headers.has("openai-organization")).toBe(false);
    expect(headers.get("x-request-id")).not.toBe("req_upstream");
    expect(headers.get("x-ratelimit-limit-requests")).toBe("100000");
    expect(headers.get("x-should-retry")).toBe(status === 200 ? null : "false");
  }
});

test("an informational answer before the real one is skipped", async () => {
  upstream.serve = (socket) =>
    void socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${rawAnswer(200, WHOLE)}`);
  expect((await proxy.call()).status).toBe(200);
});

test("after all of this the app serves, and nothing is held", async () => {
  upstream.serve = (socket) => void socket.write(rawAnswer(200, WHOLE));
  const { status, text } = await proxy.call();
  expect(status).toBe(200);
  expect(eventsOf(text)).toEqual([]);
  expect((await proxy.calls()).filter(({ state }) => state === "pending")).toEqual([]);
  expect(proxy.logged).not.toContain('"level":"error"');
});
