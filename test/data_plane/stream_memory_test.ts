import { heapStats } from "bun:jsc";
import { afterAll, expect, test } from "bun:test";
import { CHAT, chunk, proxyForTests } from "../support/data_plane.ts";
import { connectRaw, type RawConnection, startRawUpstream } from "../support/raw_http.ts";

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
const proxy = await proxyForTests({ upstream: upstream.url });

const STREAMS = 20;
const PROMPT_BYTES = 1 << 20;
const FIRST = chunk({ content: "Hello" });

/** Begins a stream that goes on, and returns when its first chunk has come. */
async function begin(): Promise<RawConnection> {
  upstream.serve = (socket) => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    const piece = `${FIRST.length.toString(16)}\r\n${FIRST}\r\n`;
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n${piece}`);
  };
  const connection = await connectRaw(proxy.url);
  const messages = [{ role: "user", content: "x".repeat(PROMPT_BYTES) }];
  // As bytes, which are not counted with what the proxy keeps.
  const body = Buffer.from(JSON.stringify({ ...CHAT, stream: true, messages }));
  connection.socket.write(
    "POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\n" +
      `authorization: Bearer ${proxy.key.secret}\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  connection.socket.write(body);
  await connection.until(/Hello/);
  return connection;
}

function usedBytes(): number {
  Bun.gc(true);
  return heapStats().heapSize;
}

test("a stream does not keep the request in memory that began it", async () => {
  const connections = [await begin()];
  const before = usedBytes();
  while (connections.length <= STREAMS) connections.push(await begin());
  expect((usedBytes() - before) / STREAMS).toBeLessThan(PROMPT_BYTES / 2);
  for (const { socket } of connections) socket.destroy();
  await proxy.idle();
});
