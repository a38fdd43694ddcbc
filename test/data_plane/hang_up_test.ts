import { expect, test } from "bun:test";
import {
  CHAT,
  chunk,
  completion,
  EventReader,
  lastChunks,
  proxyForTests,
  until,
} from "../support/data_plane.ts";
import { connectRaw } from "../support/raw_http.ts";

const proxy = await proxyForTests({ providers: ["openai", "anthropic"] });
const STREAM = { ...CHAT, stream: true, max_tokens: 50 };

/** Sends a call that the provider does not answer yet, and returns what ends it. */
async function unanswered(body: object) {
  const before = proxy.standIn.count;
  const { promise, resolve: release } = Promise.withResolvers<void>();
  proxy.standIn.next({ until: promise });
  const client = new AbortController();
  const answer = proxy.send(body, { signal: client.signal }).catch((error: Error) => error.name);
  await until(() => proxy.standIn.count > before);
  const hungUp = proxy.standIn.requests.at(-1)?.hungUp ?? Promise.reject(new Error("no request"));
  return { client, answer, hungUp, release };
}

async function lastCall() {
  await proxy.idle();
  return (await proxy.calls()).at(-1);
}

async function expectAlive(): Promise<void> {
  expect((await proxy.call()).status).toBe(200);
  expect(proxy.logged).not.toContain('"level":"error"');
}

test("a client of a whole answer that leaves before it comes: upstream ends, all that was asked for is charged", async () => {
  const { client, answer, hungUp, release } = await unanswered({ ...CHAT, max_tokens: 50 });
  client.abort();
  expect(await answer).toBe("AbortError");
  await hungUp;
  const row = await lastCall();
  expect(row).toMatchObject({
    state: "posted",
    ending: "client_closed",
    estimated: 1,
    upstream_status: null,
    // Nothing of it was seen, and it may be complete on the other side.
    output_tokens: 50,
  });
  expect(row?.input_tokens).toBeGreaterThan(10);
  expect(row?.cost_microcents).toBeGreaterThan(0);
  release();
  await expectAlive();
});

test("a client of a stream that leaves before it begins: upstream ends, the input is charged", async () => {
  const { client, answer, hungUp, release } = await unanswered(STREAM);
  client.abort();
  expect(await answer).toBe("AbortError");
  await hungUp;
  const row = await lastCall();
  expect(row).toMatchObject({
    state: "posted",
    ending: "client_closed",
    estimated: 1,
    upstream_status: null,
    output_tokens: 1,
  });
  expect(row?.input_tokens).toBeGreaterThan(10);
  release();
  await expectAlive();
});

test("a client that leaves in the middle of a stream: upstream ends, what passed is charged", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  proxy.standIn.next({
    pieces: (async function* () {
      yield chunk({ role: "assistant", content: "" });
      yield chunk({ content: "x".repeat(35) });
      await never;
    })(),
  });
  const client = new AbortController();
  const reader = new EventReader(await proxy.send(STREAM, { signal: client.signal }));
  await reader.next();
  await reader.next();
  client.abort();
  await proxy.standIn.requests.at(-1)?.hungUp;
  expect(await lastCall()).toMatchObject({
    state: "posted",
    ending: "client_closed",
    estimated: 1,
    upstream_status: 200,
    served_model: "gpt-4o-mini",
    output_tokens: 10,
  });
  await expectAlive();
});

test("what the provider reported at its beginning counts for a client that leaves in the middle", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const event = (data: { type: string; [name: string]: unknown }) =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5-20250929",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 100, cache_read_input_tokens: 900, output_tokens: 1 },
  };
  const text = { type: "text_delta", text: "x".repeat(35) };
  proxy.standIn.next({
    pieces: (async function* () {
      yield event({ type: "message_start", message });
      yield event({
        type: "content_block_start",
        index: 0,
        content_block: { type: "text", text: "" },
      });
      yield event({ type: "content_block_delta", index: 0, delta: text });
      await never;
    })(),
  });
  const client = new AbortController();
  const body = { ...STREAM, model: "anthropic/claude-sonnet-4-5" };
  const reader = new EventReader(await proxy.send(body, { signal: client.signal }));
  await reader.next();
  await reader.next();
  client.abort();
  await proxy.standIn.requests.at(-1)?.hungUp;
  expect(await lastCall()).toMatchObject({
    state: "posted",
    ending: "client_closed",
    estimated: 1,
    input_tokens: 1_000,
    cache_read_tokens: 900,
    output_tokens: 10,
  });
  await expectAlive();
});

test("a client that leaves in the middle of a stream that goes on: upstream ends", async () => {
  let sent = 0;
  proxy.standIn.next({
    pieces: (async function* () {
      for (;;) {
        sent += 1;
        yield chunk({ content: "word " });
        await new Promise((resolve) => setImmediate(resolve));
      }
    })(),
  });
  const client = new AbortController();
  const reader = new EventReader(await proxy.send(STREAM, { signal: client.signal }));
  for (let read = 0; read < 20; read += 1) await reader.next();
  client.abort();
  await proxy.standIn.requests.at(-1)?.hungUp;
  const row = await lastCall();
  expect(row).toMatchObject({ state: "posted", ending: "client_closed", estimated: 1 });
  expect(row?.output_tokens).toBeGreaterThanOrEqual(Math.ceil((20 * 5) / 3.5));
  expect(row?.output_tokens).toBeLessThanOrEqual(Math.ceil((sent * 5) / 3.5));
  await expectAlive();
});

test("a client that resets its connection in the middle of a whole answer ends the call too", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const before = proxy.standIn.count;
  const text = JSON.stringify(completion(5, 3));
  proxy.standIn.next({
    headers: { "content-type": "application/json" },
    pieces: (async function* () {
      yield text.slice(0, 40);
      await never;
    })(),
  });
  const connection = await connectRaw(proxy.url);
  const body = JSON.stringify({ ...CHAT, max_tokens: 50 });
  connection.socket.write(
    `POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${proxy.key.secret}\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
  await until(() => proxy.standIn.count > before);
  connection.socket.resetAndDestroy();
  await proxy.standIn.requests.at(-1)?.hungUp;
  expect(await lastCall()).toMatchObject({
    state: "posted",
    ending: "client_closed",
    estimated: 1,
    output_tokens: 50,
  });
  await expectAlive();
});

test("a client that leaves after the last chunk has had a complete call", async () => {
  proxy.standIn.next({ pieces: [chunk({ content: "Hello" }), lastChunks(11, 7)] });
  const client = new AbortController();
  const reader = new EventReader(await proxy.send(STREAM, { signal: client.signal }));
  while ((await reader.next()) !== "[DONE]");
  client.abort();
  const before = (await proxy.calls()).length;
  expect(await lastCall()).toMatchObject({
    state: "posted",
    ending: "completed",
    estimated: 0,
    input_tokens: 11,
    output_tokens: 7,
  });
  await expectAlive();
  expect(await proxy.calls()).toHaveLength(before + 1);
});

test("a client that leaves while its request is being read was never admitted", async () => {
  const before = await proxy.calls();
  const count = proxy.standIn.count;
  const connection = await connectRaw(proxy.url);
  connection.socket.write(
    `POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${proxy.key.secret}\r\n` +
      'content-length: 1000\r\n\r\n{"model":"openai/gpt-4o-mini",',
  );
  // Answered on another connection, so the first one has been taken up.
  await proxy.call();
  connection.socket.resetAndDestroy();
  await connection.ended;
  await expectAlive();
  expect(await proxy.calls()).toHaveLength(before.length + 2);
  expect(proxy.standIn.count).toBe(count + 2);
});

test("however a client leaves, a key's tokens are what its calls add up to, and nothing stays held", async () => {
  const key = await proxy.createKey({ monthly_token_limit: 1_000_000 });
  const leave = async (body: object, events: number) => {
    const client = new AbortController();
    const { promise: never } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        for (let sent = 0; sent < events; sent += 1) yield chunk({ content: "word" });
        await never;
      })(),
    });
    const before = proxy.standIn.count;
    const sending = proxy.send(body, { signal: client.signal, key }).catch(() => null);
    await until(() => proxy.standIn.count > before);
    if (events > 0) {
      const response = await sending;
      if (response !== null) await new EventReader(response).next();
    }
    client.abort();
    await sending;
  };
  for (let round = 0; round < 5; round += 1) {
    for (const events of [0, 1, 2]) await leave(STREAM, events);
    await leave(CHAT, 0);
  }
  await proxy.idle();
  const rows = await proxy.calls(key);
  expect(rows).toHaveLength(20);
  expect(rows.every((row) => row.state === "posted" && row.ending === "client_closed")).toBe(true);
  expect(rows.every((row) => row.output_tokens > 0 && row.input_tokens > 0)).toBe(true);
  const sum = rows.reduce((total, row) => total + row.input_tokens + row.output_tokens, 0);
  const { keys } = (await proxy.manage("GET", "/keys")).body;
  expect(keys.find((one: { id: string }) => one.id === key.id).tokens_used_cycle).toBe(sum);
  await proxy.manage("PATCH", `/keys/${key.id}`, { monthly_token_limit: sum });
  const refused = await proxy.call(CHAT, { key });
  expect(refused.json.error).toMatchObject({ limit: sum, used: sum, held: 0 });
});
