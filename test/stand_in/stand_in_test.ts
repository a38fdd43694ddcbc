import { expect, test } from "bun:test";
import { post, standInForTests } from "./stand_in_client.ts";

const standIn = standInForTests();
const chatUrl = `${standIn.baseUrls.openai}/chat/completions`;
const messagesUrl = `${standIn.baseUrls.anthropic}/v1/messages`;
const CHAT = { model: "m", messages: [{ role: "user", content: "hi" }] };
const MESSAGES = { ...CHAT, max_tokens: 100 };

test("requests are kept as they arrived", async () => {
  const before = standIn.count;
  await post(`${chatUrl}?a=1`, CHAT, { "x-own": "yes" });
  expect(standIn.count).toBe(before + 1);
  expect(standIn.requests.at(-1)).toMatchObject({
    method: "POST",
    path: "/v1/chat/completions?a=1",
    headers: { "x-own": "yes" },
    body: JSON.stringify(CHAT),
    json: CHAT,
  });
});

test("a turn decides what happens to one request, and the next is answered as usual", async () => {
  standIn.next({ status: 503, headers: { "retry-after": "7" }, body: { any: "thing" } });
  const first = await post(chatUrl, CHAT);
  expect(first.status).toBe(503);
  expect(first.headers.get("retry-after")).toBe("7");
  expect(first.json).toEqual({ any: "thing" });
  expect((await post(chatUrl, CHAT)).status).toBe(200);
});

test("a turn waits for a request that is sound", async () => {
  standIn.next({ status: 418 });
  expect((await post(chatUrl, { model: "m" })).status).toBe(400);
  expect((await post(chatUrl, CHAT)).status).toBe(418);
});

test("an error without a body has the provider's own shape", async () => {
  standIn.next({ status: 529 });
  standIn.next({ status: 429 });
  expect((await post(messagesUrl, MESSAGES)).json.error.type).toBe("overloaded_error");
  expect((await post(chatUrl, CHAT)).json.error.code).toBe("rate_limit_exceeded");
});

test("a model's name asks for an error", async () => {
  const limited = await post(chatUrl, { ...CHAT, model: "error-429" });
  expect(limited.status).toBe(429);
  expect(limited.headers.get("retry-after")).toBe("1");
  expect((await post(messagesUrl, { ...MESSAGES, model: "error-500" })).json.error.type).toBe(
    "api_error",
  );
});

test("a stream goes out piece by piece, when its maker says so", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  standIn.next({
    pieces: (async function* () {
      yield "data: one\n\n";
      await released;
      yield new TextEncoder().encode("data: two\n\n");
    })(),
  });
  const response = await fetch(chatUrl, request({ ...CHAT, stream: true }));
  const reader = read(response);
  expect(await reader.next()).toBe("data: one\n\n");
  release();
  expect(await reader.next()).toBe("data: two\n\n");
  expect(await reader.next()).toBeNull();
});

test("a connection is cut after so many bytes at most, and never looks like an end", async () => {
  standIn.next({ cutAfterBytes: 100 });
  const reader = read(await fetch(chatUrl, request({ ...CHAT, stream: true })));
  let text = "";
  const cut = (async () => {
    for (let piece = await reader.next(); piece !== null; piece = await reader.next())
      text += piece;
  })();
  await expect(cut).rejects.toThrow();
  // What came just before a reset may be lost with it.
  expect(text.length).toBeLessThanOrEqual(100);
  const whole = await fetch(chatUrl, request({ ...CHAT, model: "cut-off", stream: true }));
  await expect(whole.text()).rejects.toThrow();
});

test("a client that hangs up is noticed", async () => {
  standIn.next({ until: new Promise(() => {}) });
  const controller = new AbortController();
  const before = standIn.count;
  const call = fetch(chatUrl, { ...request(CHAT), signal: controller.signal });
  while (standIn.count === before) await new Promise(setImmediate);
  controller.abort();
  await expect(call).rejects.toThrow();
  await standIn.requests.at(-1)?.hungUp;
});

test("there is nothing at other paths", async () => {
  for (const path of ["/", "/v1/completions", "/mistral/v1", "/groq/openai/v1/messages"]) {
    expect((await post(standIn.url + path, CHAT)).status).toBe(404);
  }
});

function request(body: object): RequestInit {
  const headers = { authorization: "Bearer k" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

function read(response: Response): { next(): Promise<string | null> } {
  const reader = response.body?.getReader();
  return {
    async next() {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      return done ? null : new TextDecoder().decode(value);
    },
  };
}
