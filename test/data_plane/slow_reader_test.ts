import { expect, test } from "bun:test";
import { CHAT, chunk, proxyForTests } from "../support/data_plane.ts";
import { connectRaw, rawRequest } from "../support/raw_http.ts";

const proxy = await proxyForTests();
const PATH = "/inference/v1/chat/completions";
const PIECE = chunk({ content: "x".repeat(60_000) });

/** Far more than sockets hold, so that the rest would be in the proxy's memory. */
const PIECES_MAX = 2_000;

/** Starts a stream that its client does not read, and waits until nothing moves any more. */
async function stalled() {
  let sent = 0;
  proxy.standIn.next({
    pieces: (async function* () {
      for (; sent < PIECES_MAX; sent += 1) yield PIECE;
    })(),
  });
  const connection = await connectRaw(proxy.url);
  const body = JSON.stringify({ ...CHAT, stream: true });
  const headers = { authorization: `Bearer ${proxy.key.secret}` };
  connection.socket.write(rawRequest(PATH, body, headers));
  await connection.until(/data: /);
  connection.socket.pause();
  for (let still = 0, before = -1; still < 50; still = sent === before ? still + 1 : 0) {
    before = sent;
    // What moves a stream moves this as well, on the busiest machine.
    await (await fetch(`${proxy.url}/livez`)).text();
  }
  return { connection, sent: () => sent };
}

test("a client that does not read stops the provider, too", async () => {
  const { connection, sent } = await stalled();
  expect(sent()).toBeLessThan(PIECES_MAX / 2);
  // Others are served meanwhile.
  expect((await proxy.call()).status).toBe(200);
  connection.socket.destroy();
  await proxy.idle();
});

test("a client that reads nothing for too long is given up, and what it was sent is charged", async () => {
  const { connection } = await stalled();
  proxy.pass(59_999);
  expect(proxy.app.callsInFlight).toBe(1);
  proxy.pass(1);
  await proxy.idle();
  await proxy.standIn.requests.at(-1)?.hungUp;
  const row = (await proxy.calls()).at(-1);
  expect(row).toMatchObject({ state: "posted", ending: "client_closed", estimated: 1 });
  expect(row?.output_tokens).toBeGreaterThan(10_000);
  connection.socket.destroy();
  expect((await proxy.call()).status).toBe(200);
});
