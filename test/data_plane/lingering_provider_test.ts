import { afterAll, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { CHAT, chunk, eventsOf, lastChunks, proxyForTests, until } from "../support/data_plane.ts";
import { startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
const proxy = await proxyForTests({ upstream: upstream.url });

const STREAM = { ...CHAT, stream: true };
const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const COMPLETE = chunk({ content: "Hello" }) + lastChunks(5, 1);

function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Answers a call with these bytes, and returns the provider's side of the connection. */
async function answered(bytes: string): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  upstream.serve = (socket) => {
    socket.write(bytes);
    resolve(socket);
  };
  const { text } = await proxy.call(STREAM);
  expect(eventsOf(text).at(-1)).toBe("[DONE]");
  await proxy.idle();
  return promise;
}

test("a provider that does not end its body behind the end of the stream is left", async () => {
  const socket = await answered(HEAD + framed(COMPLETE));
  await until(() => {
    proxy.pass(1000);
    return socket.destroyed;
  });
});

test("a provider that goes on behind the end of the stream is left at once", async () => {
  const socket = await answered(HEAD + framed(COMPLETE));
  socket.write(framed(chunk({ content: "more" })));
  await until(() => socket.destroyed);
});

test("a provider that ends its body is called on the same connection again", async () => {
  const bytes = `${HEAD}${framed(COMPLETE)}0\r\n\r\n`;
  const socket = await answered(bytes);
  expect(await answered(bytes)).toBe(socket);
});
