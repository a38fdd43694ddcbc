import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  type OpenAI,
  PermissionDeniedError,
  RateLimitError,
} from "openai";
import { eventually } from "../support/eventually.ts";
import { apiError, configOf, openAiClient, openProxy, type TestProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const proxy = await openProxy(["--body-limit-mb", "1"]);
afterAll(() => proxy.close());
await proxy.configure();
const { secret } = await proxy.createKey();

const model = "openai/gpt-4o-mini";
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];
const chat = (client: OpenAI, body: object = {}) =>
  client.chat.completions.create({ model, messages, ...body });

interface Expected {
  readonly kind: abstract new (...values: never) => APIError;
  readonly status: number;
  readonly code: string;
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** Makes a call that the proxy must refuse at once: one attempt, nothing of it at the provider. */
async function expectRefused(
  at: TestProxy,
  apiKey: string,
  ask: (client: OpenAI) => PromiseLike<unknown>,
  { kind, status, code, param, headers = {} }: Expected,
): Promise<APIError> {
  const { client, attempts } = openAiClient(at, apiKey);
  const { count } = at.standIn;
  const error = await apiError(ask(client));
  expect(error.constructor).toBe(kind);
  expect(error).toMatchObject({ status, code, param: param ?? null });
  expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/);
  for (const [name, value] of Object.entries(headers)) {
    expect(error.headers?.get(name) ?? null).toBe(value);
  }
  expect(attempts).toHaveLength(1);
  expect(at.standIn.count).toBe(count);
  return error;
}

const REFUSED: Record<string, { ask: (client: OpenAI) => PromiseLike<unknown>; is: Expected }> = {
  "a model without its provider": {
    ask: (client) => chat(client, { model: "gpt-4o-mini" }),
    is: { kind: BadRequestError, status: 400, code: "invalid_model", param: "model" },
  },
  "an unknown provider": {
    ask: (client) => chat(client, { model: "acme/gpt-4o-mini" }),
    is: { kind: BadRequestError, status: 400, code: "invalid_model", param: "model" },
  },
  "a body that is no object": {
    ask: (client) => client.post("/chat/completions", { body: [1, 2] }),
    is: { kind: BadRequestError, status: 400, code: "invalid_model" },
  },
  "a field that the provider cannot honour": {
    ask: (client) => chat(client, { model: "mistral/mistral-small-latest", logprobs: true }),
    is: { kind: BadRequestError, status: 400, code: "unsupported_parameter", param: "logprobs" },
  },
  "a value out of range": {
    ask: (client) => chat(client, { n: 0 }),
    is: { kind: BadRequestError, status: 400, code: "invalid_value", param: "n" },
  },
  "no messages": {
    ask: (client) => chat(client, { messages: [] }),
    is: { kind: BadRequestError, status: 400, code: "invalid_value", param: "messages" },
  },
  "an empty text to embed": {
    ask: (client) => client.embeddings.create({ model, input: [""] }),
    is: { kind: BadRequestError, status: 400, code: "invalid_value", param: "input" },
  },
  "an unknown URL": {
    ask: (client) => client.post("/audio/speech", { body: {} }),
    is: { kind: NotFoundError, status: 404, code: "unknown_url" },
  },
  "a wrong method": {
    ask: (client) => client.put("/embeddings", { body: {} }),
    is: { kind: APIError, status: 405, code: "method_not_allowed", headers: { allow: "POST" } },
  },
  "a body over the limit": {
    ask: (client) =>
      chat(client, { messages: [{ role: "user", content: "x".repeat(1024 * 1024) }] }),
    is: { kind: APIError, status: 413, code: "request_too_large" },
  },
};

for (const [what, { ask, is }] of Object.entries(REFUSED)) {
  test(`${what}: ${is.status} ${is.code}`, async () => {
    await expectRefused(proxy, secret, ask, is);
    expect((await chat(openAiClient(proxy, secret).client)).object).toBe("chat.completion");
  });
}

test("a key that is unknown, malformed, revoked or suspended: 401 invalid_key, in the same words", async () => {
  const revoked = await proxy.createKey();
  const suspended = await proxy.createKey();
  await proxy.manage("DELETE", `/keys/${revoked.id}`);
  await proxy.manage("PATCH", `/keys/${suspended.id}`, { status: "suspended" });
  const keys = ["sk-something", `${secret.slice(0, -1)}_`, revoked.secret, suspended.secret];
  const is = { kind: AuthenticationError, status: 401, code: "invalid_key" };
  const messages = new Set<string>();
  for (const key of keys) messages.add((await expectRefused(proxy, key, chat, is)).message);
  expect(messages.size).toBe(1);
});

test("an open cost circuit: 402 cost_circuit_open, until the limit is raised and the circuit reset", async () => {
  const { client } = openAiClient(proxy, secret);
  await proxy.manage("PUT", "/settings", { monthly_cost_limit_cents: 1 });
  // An unpriced model is charged at the fallback rate: 2,000 tokens of input cost two cents.
  const content = "words ".repeat(1500);
  await chat(client, { model: "openai/unpriced", messages: [{ role: "user", content }] });
  const error = await expectRefused(proxy, secret, chat, {
    kind: APIError,
    status: 402,
    code: "cost_circuit_open",
    headers: { "x-should-retry": "false" },
  });
  expect(error.error).toMatchObject({ limit_cents: 1, circuit_open: true });
  expect((await proxy.manage("GET", "/settings")).body.circuit_open).toBe(true);
  await proxy.manage("PUT", "/settings", {
    monthly_cost_limit_cents: 1_000_000,
    reset_circuit: true,
  });
  expect((await chat(client)).object).toBe("chat.completion");
});

test("a provider outside the EU for an organization that stays inside: 403 eu_residency_unavailable", async () => {
  await proxy.manage("PUT", "/settings", { eu_only: true });
  const is = { kind: PermissionDeniedError, status: 403, code: "eu_residency_unavailable" };
  await expectRefused(proxy, secret, chat, { ...is, param: "model" });
  await proxy.manage("PUT", "/settings", { eu_only: false });
  expect((await chat(openAiClient(proxy, secret).client)).object).toBe("chat.completion");
});

test("an organization without settings, then without providers: both 412, each under its own code", async () => {
  await using fresh = await openProxy();
  const key = await fresh.createKey();
  const is = { kind: APIError, status: 412 };
  const unset = await expectRefused(fresh, key.secret, chat, {
    ...is,
    code: "settings_not_configured",
  });
  expect(unset.message).toContain("monthly_cost_limit_cents");
  await fresh.manage("PUT", "/settings", { monthly_cost_limit_cents: 100 });
  const missing = { ...is, code: "provider_not_configured", param: "model" };
  await expectRefused(fresh, key.secret, chat, missing);
  const config = configOf("openai", fresh.standIn);
  await fresh.manage("PUT", "/providers", { ...config, enabled: false });
  await expectRefused(fresh, key.secret, chat, missing);
  await fresh.manage("PUT", "/providers", config);
  expect((await chat(openAiClient(fresh, key.secret).client)).object).toBe("chat.completion");
});

test("the monthly token limit of a key: 429 token_ceiling_exceeded, which is not tried again", async () => {
  const small = await proxy.createKey({ monthly_token_limit: 1 });
  const { client } = openAiClient(proxy, small.secret);
  expect((await chat(client)).object).toBe("chat.completion");
  const error = await expectRefused(proxy, small.secret, chat, {
    kind: RateLimitError,
    status: 429,
    code: "token_ceiling_exceeded",
    headers: { "x-should-retry": "false", "retry-after": null },
  });
  expect(error.type).toBe("insufficient_quota");
  expect(error.error).toMatchObject({ limit: 1, held: 0 });
});

test("requests beyond the rate of a key: 429 rate_limited, with the time to wait", async () => {
  const slow = await proxy.createKey({ rate_limit_rpm: 2 });
  const { client } = openAiClient(proxy, slow.secret, { maxRetries: 0 });
  for (const remaining of ["1", "0"]) {
    const { response } = await chat(client).withResponse();
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(response.headers.get("x-ratelimit-remaining-requests")).toBe(remaining);
  }
  const error = await apiError(chat(client));
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ status: 429, code: "rate_limited", type: "rate_limit_error" });
  const seconds = Number(error.headers?.get("retry-after"));
  const ms = Number(error.headers?.get("retry-after-ms"));
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(60_000);
  expect(seconds).toBe(Math.ceil(ms / 1000));
  expect(error.headers?.get("x-should-retry") ?? null).toBeNull();
  expect(error.headers?.get("x-ratelimit-remaining-requests")).toBe("0");
});

test("a client that waits as long as it was told is served on its next attempt", async () => {
  await using own = await openProxy();
  await own.configure();
  const slow = await own.createKey({ rate_limit_rpm: 1 });
  await chat(openAiClient(own, slow.secret).client);
  await own.binary.stop();
  // Brings the end of the minute near: the window is read from the ledger at the start.
  const database = new Database(join(own.dataDir, "inference-proxy.db"));
  database.run("update calls set admitted_at_ms = ?", [Date.now() - 58_000]);
  database.close();
  await own.startAgain();
  const { client, attempts } = openAiClient(own, slow.secret, { maxRetries: 1 });
  expect((await chat(client)).object).toBe("chat.completion");
  expect(attempts.map(({ status }) => status)).toEqual([429, 200]);
});

test("a ledger that cannot be written: 503 overloaded, and the call has cost nothing", async () => {
  const { id, secret: own } = await proxy.createKey({ rate_limit_rpm: 5 });
  const { client } = openAiClient(proxy, own, { maxRetries: 0 });
  const { count } = proxy.standIn;
  const database = new Database(join(proxy.dataDir, "inference-proxy.db"));
  database.run("begin immediate");
  const error = await apiError(chat(client));
  database.run("rollback");
  database.close();
  expect(error).toBeInstanceOf(InternalServerError);
  expect(error).toMatchObject({ status: 503, code: "overloaded", type: "server_error" });
  expect(error.headers?.get("retry-after")).toBe("2");
  expect(proxy.standIn.count).toBe(count);
  const { response } = await chat(client).withResponse();
  expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("4");
  const row = (await proxy.usage("key")).find(({ group_key }) => group_key === id);
  expect(row?.calls).toBe(1);
});

test("a proxy that is stopping: 503 shutting_down, which is tried again, while calls in flight end in peace", async () => {
  await using own = await openProxy();
  await own.configure();
  const key = await own.createKey();
  const { client } = openAiClient(own, key.secret);
  const held = Promise.withResolvers<void>();
  own.standIn.next({ until: held.promise });
  const inFlight = Promise.resolve(chat(client));
  await eventually(() => own.standIn.count === 1);
  own.binary.terminate();
  await eventually(() => own.binary.output().includes('"msg":"stopping"'));
  const late = openAiClient(own, key.secret, { maxRetries: 1 });
  const error = await apiError(chat(late.client));
  expect(error).toBeInstanceOf(InternalServerError);
  expect(error).toMatchObject({ status: 503, code: "shutting_down" });
  expect(late.attempts.map(({ status }) => status)).toEqual([503, 503]);
  expect(late.attempts[0]?.headers.get("retry-after")).toBe("1");
  expect((await fetch(`${own.binary.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${own.binary.url}/livez`)).status).toBe(200);
  held.resolve();
  expect((await inFlight).choices[0]?.finish_reason).toBe("stop");
  expect((await own.binary.ended).exitCode).toBe(0);
});
