import { afterAll, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { CHAT, completion, proxyForTests, until } from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
const proxy = await proxyForTests({
  upstream: upstream.url,
  flags: ["--upstream-headers-timeout-s", "60"],
});

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/** Writes a text again and again until the other side has had enough, and counts what it took. */
function flood(socket: Socket, head: string, piece: string): { bytes: number; over: boolean } {
  const sent = { bytes: 0, over: false };
  socket.on("close", () => {
    sent.over = true;
  });
  const more = () => {
    while (!sent.over) {
      sent.bytes += piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on("drain", more);
  socket.write(head);
  more();
  return sent;
}

async function lastCall() {
  await proxy.idle();
  return (await proxy.calls()).at(-1);
}

test("a whole answer that says it is too long is not read", async () => {
  let sent = { bytes: 0, over: false };
  upstream.serve = (socket) => {
    sent = flood(socket, `${HEAD}content-length: 300000000\r\n\r\n`, "x".repeat(1 << 16));
  };
  const answer = await proxy.call();
  expect(answer.status).toBe(502);
  expect(answer.json.error.message).toContain("too long an answer");
  await until(() => sent.over);
  expect(sent.bytes).toBeLessThan(32 << 20);
  expect(await lastCall()).toMatchObject({ state: "posted", ending: "upstream_failed" });
});

test("a whole answer that never ends is read in part", async () => {
  const piece = `100000\r\n${"x".repeat(1 << 20)}\r\n`;
  let sent = { bytes: 0, over: false };
  upstream.serve = (socket) => {
    sent = flood(socket, `${HEAD}transfer-encoding: chunked\r\n\r\n`, piece);
  };
  const answer = await proxy.call();
  expect(answer.status).toBe(502);
  expect(answer.json.error.message).toContain("too long an answer");
  await until(() => sent.over);
  expect(sent.bytes).toBeLessThan(320 << 20);
});

const FIELDS = Array.from({ length: 50 }, (_, at) => `x-${at}: ${"v".repeat(100)}\r\n`).join("");
const HEADERS: { name: string; head: string; piece: string }[] = [
  { name: "headers without end", head: HEAD, piece: FIELDS },
  { name: "one header without end", head: `${HEAD}x-long: `, piece: "v".repeat(1 << 14) },
];

test.each(HEADERS)("an answer of $name is cut off early", async ({ head, piece }) => {
  for (const stream of [false, true]) {
    let sent = { bytes: 0, over: false };
    upstream.serve = (socket) => {
      sent = flood(socket, head, piece);
    };
    const answer = await proxy.call({ ...CHAT, stream });
    expect(answer.status).toBe(502);
    expect(answer.json.error).toMatchObject({ code: "upstream_error", upstream_status: null });
    await until(() => sent.over);
    expect(sent.bytes).toBeLessThan(32 << 20);
    // The request had arrived.
    expect(await lastCall()).toMatchObject({ state: "posted", ending: "upstream_failed" });
  }
});

test("informational answers without end do not put off the time limit", async () => {
  let sent = { bytes: 0, over: false };
  upstream.serve = (socket) => {
    sent = flood(socket, "", "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(100));
  };
  const answering = proxy.call();
  await until(() => sent.bytes > 8 << 20);
  proxy.pass(60_000);
  expect((await answering).status).toBe(504);
  await until(() => sent.over);
});

test("after all of this the next call is like any other", async () => {
  upstream.serve = (socket) => void socket.write(rawAnswer(200, JSON.stringify(completion(5, 3))));
  expect((await proxy.call()).status).toBe(200);
});
