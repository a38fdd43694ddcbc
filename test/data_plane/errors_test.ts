import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type ErrorCode, ERRORS } from "../../src/domain/errors.ts";
import {
  type Answer,
  CHAT,
  completion,
  proxyForTests,
  type DataPlane,
  until,
  withProxy,
} from "../support/data_plane.ts";

const proxy = await proxyForTests({
  providers: ["openai", "anthropic", "groq"],
  flags: ["--body-limit-mb", "1", "--upstream-headers-timeout-s", "30"],
});

/** One way to be refused, and what is said about it besides status and type, which the code decides. */
interface Refusal {
  readonly code: ErrorCode;
  readonly when: string;
  readonly provoke: () => Promise<Answer>;
  readonly param?: string;
  readonly retry?: "true" | "false";
  readonly retryAfter?: string;
  /** False if nobody knows whose call it was. */
  readonly keyKnown?: boolean;
  readonly details?: object;
}

const REFUSALS: readonly Refusal[] = [
  {
    code: "invalid_model",
    when: "the body is no JSON",
    provoke: () => proxy.call("{"),
  },
  {
    code: "invalid_model",
    when: "the body is no object",
    provoke: () => proxy.call("[1]"),
  },
  {
    code: "invalid_model",
    when: "the body is empty",
    provoke: () => proxy.call(""),
  },
  {
    code: "invalid_model",
    when: "no model is named",
    provoke: () => proxy.call({ messages: CHAT.messages }),
    param: "model",
  },
  ...["gpt-4o", "openai/", "/gpt-4o", "OpenAI/gpt-4o", "constructor/x", "other/gpt-4o"].map(
    (model): Refusal => ({
      code: "invalid_model",
      when: `the model is "${model}"`,
      provoke: () => proxy.call({ ...CHAT, model }),
      param: "model",
    }),
  ),
  ...["openai/a b", "openai/\u00e9", 7, null].map((model): Refusal => ({
    code: "invalid_model",
    when: `the model is no name but ${JSON.stringify(model)}`,
    provoke: () => proxy.call({ ...CHAT, model }),
    param: "model",
  })),
  {
    code: "invalid_model",
    when: "the provider has no embeddings",
    provoke: () =>
      proxy.call({ model: "anthropic/claude-sonnet-4-5", input: "hi" }, { path: "/embeddings" }),
    param: "model",
  },
  {
    code: "invalid_value",
    when: "a message has no role",
    provoke: () => proxy.call({ ...CHAT, messages: [{ content: "secret words" }] }),
    param: "messages[0].role",
  },
  {
    code: "invalid_value",
    when: "there are no messages",
    provoke: () => proxy.call({ ...CHAT, messages: [] }),
    param: "messages",
  },
  {
    code: "invalid_value",
    when: "the input of embeddings is empty",
    provoke: () =>
      proxy.call({ model: "openai/text-embedding-3-small", input: "" }, { path: "/embeddings" }),
    param: "input",
  },
  {
    code: "unsupported_parameter",
    when: "the provider has no such thing",
    provoke: () => proxy.call({ ...CHAT, model: "groq/llama-3.1-8b-instant", logprobs: true }),
    param: "logprobs",
  },
  {
    code: "invalid_key",
    when: "no key is presented",
    provoke: () => proxy.call(CHAT, { headers: { authorization: "" } }),
    keyKnown: false,
  },
  {
    code: "cost_circuit_open",
    when: "the month's cost has reached the limit",
    provoke: () => withCircuitOpen((other) => other.call()),
    retry: "false",
    details: { limit_cents: 1, circuit_open: true, held_microcents: 0 },
  },
  {
    code: "eu_residency_unavailable",
    when: "the organization is eu_only and the provider is not resident",
    provoke: async () => {
      await proxy.settings({ eu_only: true });
      try {
        return await proxy.call();
      } finally {
        await proxy.settings({ eu_only: false });
      }
    },
    param: "model",
    retry: "false",
  },
  {
    code: "unknown_url",
    when: "nothing is served at the path",
    provoke: () => proxy.call(CHAT, { path: "/completions" }),
    keyKnown: false,
  },
  {
    code: "method_not_allowed",
    when: "the path answers another method",
    provoke: () => proxy.call(CHAT, { method: "GET" }),
    keyKnown: false,
  },
  {
    code: "provider_not_configured",
    when: "the provider is not configured",
    provoke: () => proxy.call({ ...CHAT, model: "mistral/mistral-small-latest" }),
    param: "model",
  },
  {
    code: "provider_not_configured",
    when: "the provider is disabled",
    provoke: async () => {
      await proxy.configure("groq", { enabled: false });
      try {
        return await proxy.call({ ...CHAT, model: "groq/llama-3.1-8b-instant" });
      } finally {
        await proxy.configure("groq");
      }
    },
    param: "model",
  },
  {
    code: "settings_not_configured",
    when: "the organization has no settings",
    provoke: () => answerOfProxy({ costLimitCents: null }, (other) => other.call()),
  },
  {
    code: "request_too_large",
    when: "the body is longer than the limit",
    provoke: () => proxy.call({ ...CHAT, user: "x".repeat(1 << 20) }),
  },
  {
    code: "rate_limited",
    when: "the key has made its calls of this minute",
    provoke: async () => {
      const key = await proxy.createKey({ rate_limit_rpm: 1 });
      await proxy.call(CHAT, { key });
      proxy.clock.advance(1500);
      return proxy.call(CHAT, { key });
    },
    retryAfter: "59",
  },
  {
    code: "token_ceiling_exceeded",
    when: "the key has used its tokens of this month",
    provoke: async () => {
      const key = await proxy.createKey({ monthly_token_limit: 32 });
      await proxy.call(CHAT, { key });
      return proxy.call(CHAT, { key });
    },
    retry: "false",
    details: { limit: 32, used: 32, held: 0, resets_at: "2026-07-01T00:00:00.000Z" },
  },
  {
    code: "upstream_error",
    when: "the provider answers with an error",
    provoke: () => {
      proxy.standIn.next({ status: 500 });
      return proxy.call();
    },
    retry: "true",
    details: { provider: "openai", upstream_status: 500 },
  },
  {
    code: "overloaded",
    when: "the ledger cannot be written",
    provoke: async () => {
      const database = new Database(join(proxy.dataDir, "inference-proxy.db"));
      database.run("begin immediate");
      try {
        return await proxy.call();
      } finally {
        database.run("rollback");
        database.close();
      }
    },
    retryAfter: "2",
  },
  {
    code: "shutting_down",
    when: "the app takes no more calls",
    provoke: () =>
      answerOfProxy({}, async (other) => {
        await other.app.drain();
        return other.call();
      }),
    retryAfter: "1",
  },
  {
    code: "upstream_timeout",
    when: "the provider does not begin to answer in time",
    provoke: async () => {
      const released = Promise.withResolvers<void>();
      const before = proxy.standIn.count;
      proxy.standIn.next({ until: released.promise });
      const answer = proxy.call();
      await until(() => proxy.standIn.count > before);
      proxy.pass(30_000);
      const answered = await answer;
      released.resolve();
      return answered;
    },
    retry: "false",
  },
];

for (const refusal of REFUSALS) {
  const [status, type] = ERRORS[refusal.code];
  test(`${status} ${refusal.code} when ${refusal.when}`, async () => {
    const answer = await refusal.provoke();
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.json)).toEqual(["error"]);
    expect(answer.json.error.message).toMatch(/\w.*[^.]$/);
    expect(answer.json.error).toMatchObject({
      type: refusal.code === "upstream_error" ? "server_error" : type,
      param: refusal.param ?? null,
      code: refusal.code,
      ...refusal.details,
    });
    const { headers } = answer;
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(headers.get("x-should-retry")).toBe(refusal.retry ?? null);
    expect(headers.get("retry-after")).toBe(refusal.retryAfter ?? null);
    expect(headers.has("x-ratelimit-limit-requests")).toBe(refusal.keyKnown ?? true);
  });
}

test("every code that can be an answer over HTTP is provoked here", () => {
  const provoked = new Set<string>(REFUSALS.map(({ code }) => code));
  const elsewhere = ["upstream_stream_interrupted", "internal_error"];
  expect(Object.keys(ERRORS).filter((code) => !provoked.has(code))).toEqual(elsewhere);
});

test("what a client sent is not quoted in an error about its value", async () => {
  const { text } = await proxy.call({ ...CHAT, messages: [{ role: 1, content: "secret words" }] });
  expect(text).not.toContain("secret words");
});

test("a key that is missing, malformed, unknown, suspended or revoked gets one and the same body", async () => {
  const suspended = await proxy.createKey();
  await proxy.manage("PATCH", `/keys/${suspended.id}`, { status: "suspended" });
  const revoked = await proxy.createKey();
  await proxy.manage("DELETE", `/keys/${revoked.id}`);
  const answers = [
    await proxy.call(CHAT, { headers: { authorization: "" } }),
    await proxy.call(CHAT, { key: { id: "", secret: "sk-other" } }),
    await proxy.call(CHAT, { key: { id: "", secret: `${proxy.key.secret.slice(0, -1)}!` } }),
    await proxy.call(CHAT, { key: suspended }),
    await proxy.call(CHAT, { key: revoked }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers[0]?.headers.get("www-authenticate")).toBe("Bearer");
});

test("a refused call takes nothing from the rate limit or the ceiling, and reaches nobody", async () => {
  const key = await proxy.createKey({ rate_limit_rpm: 5 });
  const before = proxy.standIn.count;
  await proxy.call("{", { key });
  await proxy.call({ ...CHAT, model: "other/x" }, { key });
  await proxy.call({ ...CHAT, model: "mistral/x" }, { key });
  const last = await proxy.call({ ...CHAT, messages: [] }, { key });
  expect(last.headers.get("x-ratelimit-limit-requests")).toBe("5");
  expect(last.headers.get("x-ratelimit-remaining-requests")).toBe("5");
  expect(last.headers.get("x-ratelimit-reset-requests")).toBe("0ms");
  expect(proxy.standIn.count).toBe(before);
  expect(await proxy.calls(key)).toEqual([]);
  const admitted = await proxy.call(CHAT, { key });
  expect(admitted.headers.get("x-ratelimit-remaining-requests")).toBe("4");
  expect(admitted.headers.get("x-ratelimit-reset-requests")).toBe("1m0s");
});

test("of several faults the first in the order of checks is told, and nobody hears of the call", () =>
  withProxy({ costLimitCents: null, providers: ["openai"] }, async (other) => {
    const key = await other.createKey({ monthly_token_limit: 1, rate_limit_rpm: 1 });
    const wrong = { id: "", secret: "wrong" };
    const unknown = { ...CHAT, model: "other/x" };
    const codes: string[] = [];
    const ask = async (body: unknown, options = {}) => {
      const { json } = await other.call(body, { key, ...options });
      codes.push(json.error?.code ?? "none");
    };
    await ask("{", { path: "/nowhere", key: wrong });
    await ask("{", { key: wrong });
    await ask("{");
    await ask(unknown);
    await other.settings({ monthly_cost_limit_cents: 1 });
    // One call uses up the month's cost, the month's tokens and the minute's rate.
    other.standIn.next({ body: completion(1_000_000, 0) });
    await ask(CHAT);
    await other.settings({ eu_only: true });
    await ask(unknown);
    await ask({ ...CHAT, model: "groq/x" });
    await ask(CHAT);
    await other.settings({ eu_only: false });
    await ask(CHAT);
    await other.settings({ monthly_cost_limit_cents: 1_000_000, reset_circuit: true });
    await ask(CHAT);
    await other.manage("PATCH", `/keys/${key.id}`, { monthly_token_limit: 1e12 });
    await ask(CHAT);
    expect(other.standIn.count).toBe(1);
    other.clock.advance(60_000);
    await ask(CHAT);
    expect(codes).toEqual([
      "unknown_url",
      "invalid_key",
      "invalid_model",
      "settings_not_configured",
      "none",
      "invalid_model",
      "provider_not_configured",
      "eu_residency_unavailable",
      "cost_circuit_open",
      "token_ceiling_exceeded",
      "rate_limited",
      "none",
    ]);
  }));

async function answerOfProxy(
  options: Parameters<typeof withProxy>[0],
  provoke: (other: DataPlane) => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer | undefined;
  await withProxy(options, async (other) => {
    answer = await provoke(other);
  });
  if (answer === undefined) throw new Error("Expected an answer");
  return answer;
}

function withCircuitOpen(provoke: (other: DataPlane) => Promise<Answer>): Promise<Answer> {
  return answerOfProxy({ costLimitCents: 1 }, async (other) => {
    other.standIn.next({ body: completion(1_000_000, 0) });
    await other.call();
    return provoke(other);
  });
}
