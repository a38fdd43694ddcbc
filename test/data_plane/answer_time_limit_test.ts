import { afterAll, expect, test } from "bun:test";
import {
  CHAT,
  chunk,
  EventReader,
  eventsOf,
  lastChunks,
  proxyForTests,
  until,
} from "../support/data_plane.ts";
import { startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
const FLAGS = ["--answer-time-limit-s", "100", "--upstream-headers-timeout-s", "86400"];
const proxy = await proxyForTests({ flags: FLAGS });
const raw = await proxyForTests({ flags: FLAGS, upstream: upstream.url });
const STREAM = { ...CHAT, stream: true };

/** A provider's stream that a test sends piece by piece. */
function scripted() {
  const pieces: PromiseWithResolvers<string>[] = [Promise.withResolvers()];
  return {
    send: (text: string) => {
      const next = Promise.withResolvers<string>();
      pieces.at(-1)?.resolve(text);
      pieces.push(next);
    },
    pieces: (async function* () {
      for (let at = 0; ; at += 1) yield (await pieces[at]?.promise) ?? "";
    })(),
  };
}

test("a stream that goes on for too long ends with an error, whatever still comes", async () => {
  const script = scripted();
  proxy.standIn.next({ pieces: script.pieces });
  script.send(chunk({ content: "0" }));
  const reader = new EventReader(await proxy.send(STREAM));
  await reader.next();
  for (let piece = 1; piece < 5; piece += 1) {
    proxy.pass(20_000);
    script.send(`: thinking\n\n${chunk({ content: String(piece) })}`);
    expect((await reader.json()).choices[0].delta.content).toBe(String(piece));
  }
  proxy.pass(19_999);
  script.send(chunk({ content: "last" }));
  expect((await reader.json()).choices[0].delta.content).toBe("last");
  proxy.pass(1);
  expect((await reader.json()).error).toMatchObject({
    message: "Cannot finish call: the provider did not come to the end of its answer in time",
    code: "upstream_timeout",
  });
  expect(await reader.next()).toBeNull();
  await proxy.standIn.requests.at(-1)?.hungUp;
  expect((await proxy.calls()).at(-1)).toMatchObject({
    state: "posted",
    ending: "upstream_failed",
    estimated: 1,
  });
});

test("a whole answer that trickles for too long is a 504", async () => {
  let more = () => {};
  upstream.serve = (socket) => {
    socket.write(
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    more = () => void socket.write("1\r\n{\r\n");
    more();
  };
  const before = upstream.count();
  const answering = raw.call();
  await until(() => upstream.count() > before);
  while (raw.app.callsInFlight > 0) {
    more();
    await new Promise((resolve) => setImmediate(resolve));
    raw.pass(1000);
  }
  const { status, json } = await answering;
  expect(status).toBe(504);
  expect(json.error.message).toContain("did not come to the end of its answer in time");
});

test("the time of an answer begins with it: a provider may think as long as it is allowed to", async () => {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const before = proxy.standIn.count;
  proxy.standIn.next({ until: promise });
  const answering = proxy.call();
  await until(() => proxy.standIn.count > before);
  proxy.pass(500_000);
  release();
  expect((await answering).status).toBe(200);
});

test("a stream that never ends is relayed only in part", async () => {
  const comments = `:${" ".repeat(998)}\n`.repeat(1000);
  const piece = `${comments.length.toString(16)}\r\n${comments}\r\n`;
  const first = chunk({ content: "Hel" });
  let sent = 0;
  upstream.serve = (socket) => {
    const head =
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write(`${head}${first.length.toString(16)}\r\n${first}\r\n`);
    const more = () => {
      while (!socket.destroyed) {
        sent += comments.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on("drain", more);
    more();
  };
  const { text } = await raw.call(STREAM);
  const events = eventsOf(text);
  expect(events).toHaveLength(2);
  expect(JSON.parse(events[1] ?? "").error.code).toBe("upstream_stream_interrupted");
  expect(sent).toBeGreaterThan(256 << 20);
  expect(sent).toBeLessThan(320 << 20);
  expect((await raw.calls()).at(-1)).toMatchObject({ ending: "upstream_failed", state: "posted" });
});

test("after all of this calls are served", async () => {
  proxy.standIn.next({ pieces: [chunk({ content: "Hello" }), lastChunks(5, 1)] });
  expect(eventsOf((await proxy.call(STREAM)).text).at(-1)).toBe("[DONE]");
});
