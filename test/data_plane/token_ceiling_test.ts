import { expect, test } from "bun:test";
import { CHAT, completion, proxyForTests, type TestKey, until } from "../support/data_plane.ts";
import { exchangeRaw, rawRequest } from "../support/raw_http.ts";

const proxy = await proxyForTests();
const PATH = "/inference/v1/chat/completions";
const SMALL = { ...CHAT, max_tokens: 100 };

/** Returns what one such call holds. */
async function heldBy(body: object): Promise<number> {
  await proxy.call(body);
  return (await proxy.calls()).at(-1)?.held_tokens ?? 0;
}

async function usedTokens(key: TestKey): Promise<number> {
  const { keys } = (await proxy.manage("GET", "/keys")).body;
  return keys.find((one: { id: string }) => one.id === key.id).tokens_used_cycle;
}

test("a hold is the whole input and the output cap, or a default where none is given", async () => {
  const capped = await heldBy(SMALL);
  const [row] = (await proxy.calls()).slice(-1);
  expect(row?.input_tokens).toBeLessThan(capped - 100);
  expect(await heldBy({ ...CHAT, max_completion_tokens: 200 })).toBeGreaterThan(capped + 99);
  expect(await heldBy({ ...SMALL, n: 3 })).toBeGreaterThanOrEqual(capped + 200);
  expect(await heldBy(CHAT)).toBeGreaterThan(4096);
});

test("of 500 calls at once a key with room for 10 admits 10, and the refused reach nobody", async () => {
  const held = await heldBy(SMALL);
  // After ten holds the ceiling is crossed by a few tokens.
  const limit = 10 * held - 5;
  const key = await proxy.createKey({ monthly_token_limit: limit });
  const before = proxy.standIn.count;
  const { promise, resolve: release } = Promise.withResolvers<void>();
  for (let call = 0; call < 10; call += 1) proxy.standIn.next({ until: promise });
  const request = rawRequest(PATH, JSON.stringify(SMALL), {
    authorization: `Bearer ${key.secret}`,
  });
  let refused = 0;
  const answers = Array.from({ length: 500 }, async () => {
    const answer = await exchangeRaw(proxy.url, request);
    if (answer.startsWith("HTTP/1.1 429")) refused += 1;
    return answer;
  });
  await until(() => refused === 490 && proxy.standIn.count === before + 10);
  release();
  const texts = await Promise.all(answers);
  expect(texts.filter((text) => text.startsWith("HTTP/1.1 200"))).toHaveLength(10);
  const refusals = texts.filter((text) => text.startsWith("HTTP/1.1 429"));
  expect(refusals).toHaveLength(490);
  for (const text of refusals) {
    const { error } = JSON.parse(text.slice(text.indexOf("\r\n\r\n")));
    expect(error).toMatchObject({ code: "token_ceiling_exceeded", limit, used: 0 });
    // The one call that crosses, and no other.
    expect(error.held).toBe(10 * held);
    expect(error.message).toContain("calls in flight");
  }
  expect(proxy.standIn.count).toBe(before + 10);
  expect(await proxy.calls(key)).toHaveLength(10);
  expect(await usedTokens(key)).toBe(10 * 32);
});

test("what is held is given back when less is used, and then there is room again", async () => {
  const held = await heldBy(SMALL);
  const key = await proxy.createKey({ monthly_token_limit: held });
  expect((await proxy.call(SMALL, { key })).status).toBe(200);
  expect((await proxy.call(SMALL, { key })).status).toBe(200);
  expect(await usedTokens(key)).toBe(64);
});

test("a lone call is never refused for its own size, and what it uses beyond the ceiling is counted", async () => {
  const key = await proxy.createKey({ monthly_token_limit: 1 });
  proxy.standIn.next({ body: completion(5_000, 3_000) });
  expect((await proxy.call(CHAT, { key })).status).toBe(200);
  expect(await usedTokens(key)).toBe(8_000);
  const { json, headers } = await proxy.call(CHAT, { key });
  expect(headers.get("x-should-retry")).toBe("false");
  expect(headers.has("retry-after")).toBe(false);
  expect(json.error).toMatchObject({ limit: 1, used: 8_000, held: 0 });
  expect(json.error.message).toContain("is reached");
});

test("used exactly up to the ceiling is used up; one token less is not", async () => {
  const full = await proxy.createKey({ monthly_token_limit: 32 });
  await proxy.call(CHAT, { key: full });
  expect((await proxy.call(CHAT, { key: full })).status).toBe(429);
  const left = await proxy.createKey({ monthly_token_limit: 33 });
  await proxy.call(CHAT, { key: left });
  expect((await proxy.call(CHAT, { key: left })).status).toBe(200);
});

test("a provider that refuses gives the whole hold back", async () => {
  const held = await heldBy(SMALL);
  const key = await proxy.createKey({ monthly_token_limit: held + 1 });
  for (let round = 0; round < 5; round += 1) {
    proxy.standIn.next({ status: 400 });
    expect((await proxy.call(SMALL, { key })).status).toBe(502);
  }
  expect(await usedTokens(key)).toBe(0);
  expect((await proxy.call(SMALL, { key })).status).toBe(200);
});

test("a raised ceiling holds for the next call", async () => {
  const key = await proxy.createKey({ monthly_token_limit: 32 });
  await proxy.call(CHAT, { key });
  expect((await proxy.call(CHAT, { key })).status).toBe(429);
  await proxy.manage("PATCH", `/keys/${key.id}`, { monthly_token_limit: 33 });
  expect((await proxy.call(CHAT, { key })).status).toBe(200);
});

test("used tokens survive a restart", async () => {
  const key = await proxy.createKey({ monthly_token_limit: 32 });
  await proxy.call(CHAT, { key });
  await proxy.restart();
  expect((await proxy.call(CHAT, { key })).json.error).toMatchObject({ used: 32, held: 0 });
});
