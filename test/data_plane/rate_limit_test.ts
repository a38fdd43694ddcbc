import { expect, test } from "bun:test";
import { CHAT, proxyForTests, type TestKey, until, withProxy } from "../support/data_plane.ts";
import { connectRaw } from "../support/raw_http.ts";

const proxy = await proxyForTests();
const MINUTE_MS = 60_000;

/** Pauses between calls: bursts, steps and nearly a minute. */
const RHYTHM_MS = [0, 1, 900, 7_001, 3, 59_999, 0, 250, 15_000, 2, 4_999];

async function admits(key: TestKey): Promise<boolean> {
  const { status } = await proxy.call(CHAT, { key });
  return status === 200;
}

test("no 60 seconds ever hold more calls than the limit, whatever their rhythm", async () => {
  const limit = 7;
  const key = await proxy.createKey({ rate_limit_rpm: limit });
  const admitted: number[] = [];
  for (let step = 0; step < 400; step += 1) {
    if (await admits(key)) admitted.push(proxy.clock.monotonicMs());
    proxy.clock.advance(RHYTHM_MS[(step * step + step) % RHYTHM_MS.length] ?? 0);
  }
  for (const [index, startMs] of admitted.entries()) {
    const inside = admitted.slice(index).filter((atMs) => atMs - startMs < MINUTE_MS);
    expect(inside.length).toBeLessThanOrEqual(limit);
  }
  const fullest = admitted.map(
    (startMs, index) => admitted.slice(index).filter((atMs) => atMs - startMs < MINUTE_MS).length,
  );
  // The limit is used to the full, too.
  expect(Math.max(...fullest)).toBe(limit);
});

test("Retry-After is exact: refused 1 ms before, admitted when the time has come", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 3 });
  for (const pauseMs of [0, 10_250, 20_000]) {
    proxy.clock.advance(pauseMs);
    expect(await admits(key)).toBe(true);
  }
  const refused = await proxy.call(CHAT, { key });
  expect(refused.json.error.code).toBe("rate_limited");
  // 60 s after the first call are 29.75 s from now.
  expect(refused.headers.get("retry-after")).toBe("30");
  expect(refused.headers.get("retry-after-ms")).toBe("29750");
  expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
  expect(refused.headers.get("x-ratelimit-reset-requests")).toBe("1m0s");
  proxy.clock.advance(29_749);
  const early = await proxy.call(CHAT, { key });
  expect(early.headers.get("retry-after")).toBe("1");
  expect(early.headers.get("retry-after-ms")).toBe("1");
  proxy.clock.advance(1);
  expect(await admits(key)).toBe(true);
  expect(await admits(key)).toBe(false);
  proxy.clock.advance(10_250);
  expect(await admits(key)).toBe(true);
});

test("a refused call does not put off the next", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 1 });
  expect(await admits(key)).toBe(true);
  for (let second = 1; second < 60; second += 1) {
    proxy.clock.advance(1000);
    expect(await admits(key)).toBe(false);
  }
  proxy.clock.advance(1000);
  expect(await admits(key)).toBe(true);
});

test("a call that fails at the provider counts: the provider was asked", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 1 });
  proxy.standIn.next({ status: 500 });
  expect((await proxy.call(CHAT, { key })).status).toBe(502);
  expect((await proxy.call(CHAT, { key })).status).toBe(429);
});

test("of 100 calls at once exactly as many are admitted as the limit says", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 10 });
  const before = proxy.standIn.count;
  const answers = await Promise.all(Array.from({ length: 100 }, () => proxy.call(CHAT, { key })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(90);
  expect(proxy.standIn.count).toBe(before + 10);
});

test("keys do not take from each other's rate", async () => {
  const keys = [
    await proxy.createKey({ rate_limit_rpm: 1 }),
    await proxy.createKey({ rate_limit_rpm: 1 }),
  ];
  for (const key of keys) expect(await admits(key)).toBe(true);
  for (const key of keys) expect(await admits(key)).toBe(false);
});

test("a changed limit holds for the next call, with the calls of the last minute counted", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 5 });
  for (let made = 0; made < 4; made += 1) expect(await admits(key)).toBe(true);
  await proxy.manage("PATCH", `/keys/${key.id}`, { rate_limit_rpm: 2 });
  expect(await admits(key)).toBe(false);
  await proxy.manage("PATCH", `/keys/${key.id}`, { rate_limit_rpm: 6 });
  expect(await admits(key)).toBe(true);
  expect(await admits(key)).toBe(true);
  expect(await admits(key)).toBe(false);
});

test("a restart in the middle of a minute forgets no call", () =>
  withProxy({}, async (other) => {
    const key = await other.createKey({ rate_limit_rpm: 3 });
    const ask = () => other.call(CHAT, { key });
    await ask();
    other.clock.advance(20_000);
    await ask();
    await ask();
    await other.restart();
    const refused = await ask();
    expect(refused.status).toBe(429);
    const waitS = Number(refused.headers.get("retry-after"));
    expect([40, 41]).toContain(waitS);
    other.clock.advance(39_999);
    await other.restart();
    expect((await ask()).status).toBe(429);
    // What one start said holds in the next.
    other.clock.advance(waitS * 1000 - 39_999);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  }));

test("a call whose body came slowly counts from its admission, also after a restart", () =>
  withProxy({}, async (other) => {
    const key = await other.createKey({ rate_limit_rpm: 1 });
    const connection = await connectRaw(other.url);
    const body = JSON.stringify(CHAT);
    connection.socket.write(
      `POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key.secret}\r\n` +
        `content-length: ${body.length}\r\n\r\n{`,
    );
    // Answered on another connection, so the first one has been taken up.
    await other.call();
    other.clock.advance(90_000);
    connection.socket.write(body.slice(1));
    await connection.until(/chatcmpl-standin/);
    connection.socket.destroy();
    await other.restart();
    expect((await other.call(CHAT, { key })).status).toBe(429);
    other.clock.advance(MINUTE_MS + 1);
    expect((await other.call(CHAT, { key })).status).toBe(200);
  }));

test("a wall clock that is set back lets nobody call more often", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 1 });
  expect(await admits(key)).toBe(true);
  proxy.clock.setWall(-3_600_000);
  expect(await admits(key)).toBe(false);
  proxy.clock.setWall(7_200_000);
  expect(await admits(key)).toBe(false);
  proxy.clock.advance(MINUTE_MS);
  expect(await admits(key)).toBe(true);
  await until(() => proxy.app.callsInFlight === 0);
});
