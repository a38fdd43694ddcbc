import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  CHAT,
  chunk,
  type DataPlane,
  EventReader,
  lastChunks,
  until,
  withProxy,
} from "../support/data_plane.ts";
import { connectRaw, type RawConnection } from "../support/raw_http.ts";

const STREAM = { ...CHAT, stream: true };

/** Begins a call whose provider waits for what is returned. */
async function waiting(proxy: DataPlane) {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const before = proxy.standIn.count;
  proxy.standIn.next({ until: promise });
  const answer = proxy.call();
  await until(() => proxy.standIn.count > before);
  return { answer, release };
}

/** Begins to send a call, and returns when the proxy has taken it up. */
async function sending(proxy: DataPlane, lines: string, body: string): Promise<RawConnection> {
  const connection = await connectRaw(proxy.url);
  connection.socket.write(
    "POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\n" +
      `authorization: Bearer ${proxy.key.secret}\r\n${lines}\r\n\r\n${body}`,
  );
  // Answered on another connection, so the first one has been taken up.
  await proxy.call("", { path: "/models", method: "GET" });
  return connection;
}

test("a key that has as many calls as it may is refused before its body is read", () =>
  withProxy({ flags: ["--key-concurrency", "2"] }, async (proxy) => {
    const held = [await waiting(proxy), await waiting(proxy)];
    const { status, headers, json } = await proxy.call("{ no JSON");
    expect(status).toBe(429);
    expect(headers.get("retry-after")).toBe("1");
    expect(json.error).toMatchObject({
      message: "Cannot take call: this key has 2 calls in flight, the most that one key may have",
      type: "rate_limit_error",
      code: "rate_limited",
    });
    // It used up nothing.
    expect(headers.get("x-ratelimit-remaining-requests")).toBe("99998");
    expect(proxy.standIn.count).toBe(2);
    const other = await proxy.createKey();
    expect((await proxy.call(CHAT, { key: other })).status).toBe(200);
    expect((await proxy.call("", { path: "/models", method: "GET" })).status).toBe(200);
    held[0]?.release();
    await held[0]?.answer;
    expect((await proxy.call()).status).toBe(200);
    held[1]?.release();
    await held[1]?.answer;
    expect(await proxy.calls()).toHaveLength(4);
  }));

test("a proxy that has as many calls as it takes refuses the next with 503", () =>
  withProxy({ flags: ["--concurrency", "1"] }, async (proxy) => {
    const { answer, release } = await waiting(proxy);
    const key = await proxy.createKey();
    const refused = await proxy.call(CHAT, { key });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.json.error).toMatchObject({ type: "server_error", code: "overloaded" });
    release();
    expect((await answer).status).toBe(200);
    expect((await proxy.call(CHAT, { key })).status).toBe(200);
  }));

test("an organization that has its share is refused though there is room for others", () =>
  withProxy({ flags: ["--concurrency", "4"] }, async (proxy) => {
    const held = [await waiting(proxy), await waiting(proxy), await waiting(proxy)];
    const refused = await proxy.call(CHAT, { key: await proxy.createKey() });
    expect(refused.status).toBe(503);
    expect(refused.json.error.message).toContain("this organization has 3 calls in flight");
    for (const one of held) one.release();
    for (const one of held) expect((await one.answer).status).toBe(200);
  }));

/** Calls again while it is told to come back. What never is served fails the test by its time limit. */
async function untilServed(proxy: DataPlane, body: object): Promise<void> {
  let { status } = await proxy.call(body);
  while (status === 429 || status === 503) {
    await Bun.sleep(5);
    ({ status } = await proxy.call(body));
  }
  expect(status).toBe(200);
}

/** Every way in which a call can end, for a key that may have one at a time. */
const ENDINGS: Readonly<Record<string, (proxy: DataPlane) => Promise<unknown>>> = {
  "completed, whole": (proxy) => proxy.call(),
  "completed, streamed": (proxy) => proxy.call(STREAM),
  "its body is no JSON": (proxy) => proxy.call("{"),
  "its body is packed": (proxy) => proxy.call(CHAT, { headers: { "content-encoding": "gzip" } }),
  "its model is nobody's": (proxy) => proxy.call({ ...CHAT, model: "nobody/x" }),
  "its provider is not configured": (proxy) => proxy.call({ ...CHAT, model: "groq/x" }),
  "a field cannot be honoured": (proxy) => proxy.call({ ...CHAT, n: 0 }),
  "its provider refuses it": (proxy) => {
    proxy.standIn.next({ status: 400 });
    return proxy.call();
  },
  "its provider refuses to stream it": (proxy) => {
    proxy.standIn.next({ status: 500 });
    return proxy.call(STREAM);
  },
  "its provider answers nonsense": (proxy) => {
    proxy.standIn.next({ body: "<html>" });
    return proxy.call();
  },
  "its provider streams nonsense": (proxy) => {
    proxy.standIn.next({ pieces: [chunk({ content: "Hel" }), "data: {\n\n"] });
    return proxy.call(STREAM);
  },
  "its provider cuts it off": (proxy) => {
    proxy.standIn.next({ pieces: [chunk({ content: "Hel" })] });
    return proxy.call(STREAM);
  },
  "its provider does not begin": async (proxy) => {
    const { answer, release } = await waiting(proxy);
    proxy.pass(600_000);
    expect((await answer).status).toBe(504);
    release();
  },
  "its client leaves while it sends": async (proxy) => {
    const { socket, ended } = await sending(proxy, "content-length: 100", "{");
    socket.destroy();
    await ended;
  },
  "its client leaves while it sends chunks": async (proxy) => {
    const { socket, ended } = await sending(proxy, "transfer-encoding: chunked", "1\r\n{\r\n");
    socket.destroy();
    await ended;
  },
  "its client leaves before the answer": async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const before = proxy.standIn.count;
    proxy.standIn.next({ until: promise });
    const leaving = new AbortController();
    const answer = proxy.call(CHAT, { signal: leaving.signal }).catch(() => null);
    await until(() => proxy.standIn.count > before);
    leaving.abort();
    await answer;
    release();
  },
  "its client leaves in the middle of a stream": async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "Hel" });
        await promise;
        yield lastChunks(5, 1);
      })(),
    });
    const leaving = new AbortController();
    const reader = new EventReader(await proxy.send(STREAM, { signal: leaving.signal }));
    await reader.next();
    leaving.abort();
    await reader.rest().catch(() => null);
    release();
  },
  "its hold cannot be written": async (proxy) => {
    const other = new Database(join(proxy.dataDir, "inference-proxy.db"));
    other.run("begin immediate");
    expect((await proxy.call()).status).toBe(503);
    other.run("rollback");
    other.close();
    await untilServed(proxy, CHAT);
  },
  "its key has no tokens left": async (proxy) => {
    const key = await proxy.createKey({ monthly_token_limit: 1 });
    await proxy.call(CHAT, { key });
    expect((await proxy.call(CHAT, { key })).status).toBe(429);
  },
};

test("however a call ends, its key has the same room as before", () =>
  withProxy({ flags: ["--key-concurrency", "1", "--concurrency", "2"] }, async (proxy) => {
    for (const [name, end] of Object.entries(ENDINGS)) {
      for (let time = 0; time < 3; time += 1) await end(proxy);
      // A client that left may be noticed a little later.
      await untilServed(proxy, CHAT);
      // Nor has it more room: what is given back twice would let a second call in.
      const { answer, release } = await waiting(proxy);
      expect([name, (await proxy.call()).status]).toEqual([name, 429]);
      release();
      expect((await answer).status).toBe(200);
    }
    expect(proxy.logged.includes("request failed")).toBe(false);
  }));

const ROOM = ["--body-limit-mb", "1", "--body-memory-mb", "1"];
const HALF = 600_000;
const LONG = { ...CHAT, user: "x".repeat(HALF) };

/** Begins to send a body, and returns when nearly all of it is in memory. */
async function filling(proxy: DataPlane): Promise<RawConnection> {
  const slow = await sending(proxy, `content-length: ${HALF}`, "x".repeat(HALF - 1));
  while ((await proxy.call(LONG)).status !== 503);
  return slow;
}

test("a long body that is only declared takes no room of others", () =>
  withProxy({ flags: ROOM }, async (proxy) => {
    const idle = await sending(proxy, `content-length: ${HALF}`, "{");
    expect((await proxy.call(LONG)).status).toBe(200);
    idle.socket.destroy();
  }));

test("a length that is declared twice is refused, and lifts no limit", () =>
  withProxy({ flags: ROOM }, async (proxy) => {
    const twice = await sending(proxy, "content-length: 5000000\r\ncontent-length: 5000000", "{");
    expect(await twice.until(/}}/)).toStartWith("HTTP/1.1 400");
    twice.socket.destroy();
    const slow = await filling(proxy);
    slow.socket.destroy();
  }));

test("a body that finds no room in memory is refused before it is read", () =>
  withProxy({ flags: ROOM }, async (proxy) => {
    const slow = await filling(proxy);
    const before = proxy.standIn.count;
    const refused = await sending(proxy, `content-length: ${HALF}`, "{");
    const text = await refused.until(/}}/);
    refused.socket.destroy();
    expect(text).toStartWith("HTTP/1.1 503");
    expect(text).toContain('"code":"overloaded"');
    expect(text.toLowerCase()).toContain("retry-after: 1\r\n");
    expect(proxy.standIn.count).toBe(before);
    // A short one has room.
    expect((await proxy.call()).status).toBe(200);
    slow.socket.destroy();
    await untilServed(proxy, LONG);
  }));

test("chunks of a body find room as long as there is some", () =>
  withProxy({ flags: ROOM }, async (proxy) => {
    const slow = await filling(proxy);
    const piece = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const chunked = await sending(proxy, "transfer-encoding: chunked", piece.repeat(8));
    expect(await chunked.until(/overloaded/)).toStartWith("HTTP/1.1 503");
    chunked.socket.destroy();
    slow.socket.destroy();
    await slow.ended;
  }));

test("a body holds its room until its provider has answered, and for a stream no longer", () =>
  withProxy({ flags: ROOM }, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({ until: promise });
    const whole = proxy.call(LONG);
    await until(() => proxy.standIn.count === 1);
    expect((await proxy.call(LONG)).status).toBe(503);
    release();
    expect((await whole).status).toBe(200);
    const ending = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "Hel" });
        await ending.promise;
        yield lastChunks(5, 1);
      })(),
    });
    const reader = new EventReader(await proxy.send({ ...LONG, stream: true }));
    await reader.next();
    expect((await proxy.call(LONG)).status).toBe(200);
    ending.resolve();
    expect((await reader.rest()).at(-1)).toBe("[DONE]");
  }));

test("while memory is short, calls are refused unless there is no other", () =>
  withProxy({ flags: ["--memory-limit-mb", "1"] }, async (proxy) => {
    expect((await proxy.call()).status).toBe(200);
    const { answer, release } = await waiting(proxy);
    const refused = await proxy.call();
    expect(refused.status).toBe(503);
    expect(refused.json.error.message).toContain("short of memory");
    expect(proxy.logged).toContain("memory is short: calls are refused");
    release();
    expect((await answer).status).toBe(200);
    expect((await proxy.call()).status).toBe(200);
  }));
