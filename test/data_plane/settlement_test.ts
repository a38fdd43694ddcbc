import { expect, test } from "bun:test";
import type { Json } from "../../src/std/json.ts";
import {
  CHAT,
  chunk,
  completion,
  lastChunks,
  proxyForTests,
  withProxy,
} from "../support/data_plane.ts";

const proxy = await proxyForTests({ providers: ["openai", "mistral", "groq", "azure_openai"] });
const STREAM = { ...CHAT, stream: true };

async function lastCall() {
  return (await proxy.calls()).at(-1);
}

test("what the provider reports is what is recorded, charged and shown", () =>
  withProxy({ providers: ["openai", "groq"] }, async (other) => {
    const key = await other.createKey();
    for (const [input, output] of [
      [1_000, 200],
      [7, 13],
    ] as const) {
      other.standIn.next({ body: completion(input, output) });
      await other.call(CHAT, { key });
      other.standIn.next({ pieces: [chunk({ content: "Hi" }), lastChunks(input, output)] });
      await other.call(STREAM, { key });
    }
    await other.call({ ...CHAT, model: "groq/llama-3.1-8b-instant" }, { key });
    const rows = await other.calls(key);
    expect(rows.map((row) => [row.input_tokens, row.output_tokens, row.estimated])).toEqual([
      [1_000, 200, 0],
      [1_000, 200, 0],
      [7, 13, 0],
      [7, 13, 0],
      [10, 22, 0],
    ]);
    // gpt-4o-mini: $0.15 and $0.60 per million tokens; llama-3.1-8b-instant: $0.05 and $0.08.
    expect(rows.map((row) => row.cost_microcents)).toEqual([27_000, 27_000, 885, 885, 226]);
    const byModel = await other.usage();
    expect(byModel).toHaveLength(2);
    expect(byModel).toMatchObject([
      {
        group_key: "openai/gpt-4o-mini",
        provider: "openai",
        calls: 4,
        input_tokens: 2_014,
        output_tokens: 426,
        total_tokens: 2_440,
        cost_microcents: 55_770,
      },
      {
        group_key: "groq/llama-3.1-8b-instant",
        provider: "groq",
        calls: 1,
        input_tokens: 10,
        output_tokens: 22,
        total_tokens: 32,
        cost_microcents: 226,
      },
    ]);
    const byKey = await other.usage("?group_by=key");
    expect(new Set(byKey.map((row: { group_key: string }) => row.group_key))).toEqual(
      new Set([key.id]),
    );
    const { keys } = (await other.manage("GET", "/keys")).body;
    const shown = keys.find((one: { id: string }) => one.id === key.id);
    expect(shown.tokens_used_cycle).toBe(2_440 + 32);
    expect(other.rows("select cost_microcents from org_months")).toEqual([
      { cost_microcents: 55_996 },
    ]);
  }));

test("cached and reasoning tokens are parts, priced as the provider prices them", async () => {
  const usage = {
    prompt_tokens: 1_000,
    completion_tokens: 100,
    total_tokens: 1_100,
    prompt_tokens_details: { cached_tokens: 800 },
    completion_tokens_details: { reasoning_tokens: 60 },
  };
  proxy.standIn.next({ body: { ...completion(0, 0), usage } });
  const { json } = await proxy.call();
  expect(json.usage).toEqual(usage);
  expect(await lastCall()).toMatchObject({
    input_tokens: 1_000,
    cache_read_tokens: 800,
    output_tokens: 100,
    reasoning_tokens: 60,
    // 200 at 15 microcents, 800 at 7.5, 100 at 60.
    cost_microcents: 3_000 + 6_000 + 6_000,
  });
});

test("embeddings are charged by their input alone", async () => {
  const body = { model: "openai/text-embedding-3-small", input: ["one", "two three"] };
  const { status, json } = await proxy.call(body, { path: "/embeddings" });
  expect(status).toBe(200);
  expect(json.model).toBe("openai/text-embedding-3-small");
  expect(await lastCall()).toMatchObject({
    operation: "embeddings",
    state: "posted",
    input_tokens: json.usage.prompt_tokens,
    output_tokens: 0,
    estimated: 0,
  });
});

test("a whole answer without usage is estimated from what it says, and marked", async () => {
  const { usage: _, ...silent } = completion(0, 0, "x".repeat(350));
  const key = await proxy.createKey();
  proxy.standIn.next({ body: silent });
  expect((await proxy.call(CHAT, { key })).status).toBe(200);
  const row = await lastCall();
  expect(row).toMatchObject({ state: "posted", ending: "completed", estimated: 1 });
  expect(row?.output_tokens).toBe(100);
  expect(row?.input_tokens).toBeGreaterThan(10);
  expect(row?.cost_microcents).toBeGreaterThan(0);
  const [hour] = proxy.rows<{ estimated_calls: number }>(
    `select estimated_calls from usage_hours where key_id = '${key.id}'`,
  );
  expect(hour?.estimated_calls).toBe(1);
});

const NO_USAGES: readonly (readonly [Json])[] = [
  [{ prompt_tokens: "many", completion_tokens: "few" }],
  [{ prompt_tokens: -5, completion_tokens: 1.5 }],
  [{ prompt_tokens: 1e300, completion_tokens: null }],
  ["none"],
  [[]],
];

test.each(NO_USAGES)("usage that is no usage (%j) counts as none", async (usage) => {
  proxy.standIn.next({ body: { ...completion(0, 0), usage } });
  expect((await proxy.call()).status).toBe(200);
  const row = await lastCall();
  expect(row).toMatchObject({ state: "posted", estimated: 1 });
  expect(row?.output_tokens).toBeGreaterThan(0);
});

test("a refusal of the provider is recorded and charged nothing, and is no usage", () =>
  withProxy({}, async (other) => {
    other.standIn.next({ status: 400 });
    await other.call();
    other.standIn.next({ status: 503 });
    await other.call(STREAM);
    const rows = await other.calls();
    expect(rows.map(({ state, ending }) => [state, ending])).toEqual([
      ["voided", "upstream_failed"],
      ["voided", "upstream_failed"],
    ]);
    expect(rows.map((row) => row.cost_microcents + row.input_tokens + row.output_tokens)).toEqual([
      0, 0,
    ]);
    expect(await other.usage()).toEqual([]);
    expect(other.rows("select * from key_months")).toEqual([]);
  }));

test("a refusal that shows what was generated is charged for it", () =>
  withProxy({ providers: ["groq"] }, async (other) => {
    const call = { ...CHAT, model: "groq/llama-3.1-8b-instant" };
    const error = {
      message: "Failed to generate JSON",
      code: "json_validate_failed",
      failed_generation: "x".repeat(350),
    };
    other.standIn.next({ status: 400, body: { error } });
    expect((await other.call(call)).status).toBe(502);
    const ways = [
      { error },
      { id: "1", object: "chat.completion.chunk", choices: [], x_groq: { error } },
    ];
    for (const way of ways) {
      other.standIn.next({ pieces: [`data: ${JSON.stringify(way)}\n\n`] });
      await other.call({ ...call, stream: true });
    }
    other.standIn.next({ status: 400, body: { error: { ...error, failed_generation: "" } } });
    await other.call(call);
    expect((await other.calls()).map((row) => [row.state, row.output_tokens])).toEqual([
      ["posted", 100],
      ["posted", 100],
      ["posted", 100],
      ["voided", 0],
    ]);
  }));

test.each([
  ["\u001b[31mgpt-4o-mini\u0000", null],
  ["x".repeat(201), null],
  ["m\u00f6del", null],
  ["gpt-4o-mini", "gpt-4o-mini"],
])("a served model is recorded if it is one that can be shown: %j", async (model, recorded) => {
  for (const stream of [false, true]) {
    const pieces = [
      chunk({ content: "Hi" }, { model }),
      lastChunks(1, 1).replaceAll('"gpt-4o-mini"', JSON.stringify(model)),
    ];
    proxy.standIn.next(stream ? { pieces } : { body: { ...completion(1, 1), model } });
    await proxy.call({ ...CHAT, stream });
    const row = await lastCall();
    expect(row).toMatchObject({ state: "posted", served_model: recorded });
    expect(row?.price_id).toStartWith("openai/gpt-4o-mini@");
  }
});

test("a deployment is priced by the model that the answer says served it", async () => {
  for (const stream of [false, true]) {
    await proxy.call({ ...CHAT, model: "azure_openai/my-deployment", stream });
    const row = await lastCall();
    expect(row).toMatchObject({
      requested_model: "azure_openai/my-deployment",
      served_model: "gpt-4o-2024-11-20",
      // gpt-4o: $2.50 and $10 per million tokens.
      cost_microcents: 10 * 250 + 22 * 1_000,
    });
    expect(row?.price_id).toContain("gpt-4o");
  }
});

test.each([
  ["openai/gpt-4o-mini", "priority", 200],
  ["openai/gpt-4o-mini", "fast", 200],
  ["openai/gpt-4o-mini", "flex", 100],
  ["openai/gpt-4o-mini", "toString", 100],
  ["openai/gpt-4o-mini", 7, 100],
  ["azure_openai/gpt-4o-mini", "priority", 200],
  ["groq/llama-3.1-8b-instant", "priority", 100],
] as const)("%s in service tier %j costs %d percent", async (model, tier, percent) => {
  await proxy.call({ ...CHAT, model });
  const usual = await lastCall();
  await proxy.call({ ...CHAT, model, service_tier: tier });
  const row = await lastCall();
  expect(row?.price_percent).toBe(percent);
  expect(row?.cost_microcents).toBe(((usual?.cost_microcents ?? 0) * percent) / 100);
});

test("a model without a price is charged at the fallback rate, and marked", async () => {
  await proxy.call({ ...CHAT, model: "openai/no-such-model" });
  expect(await lastCall()).toMatchObject({
    price_id: "fallback",
    // $10 and $50 per million tokens.
    cost_microcents: 10 * 1_000 + 22 * 5_000,
  });
});

test("a model without a price is refused if the operator says so, and reaches nobody", () =>
  withProxy({ flags: ["--unpriced", "refuse"], providers: ["openai"] }, async (other) => {
    const answer = await other.call({ ...CHAT, model: "openai/no-such-model" });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: "invalid_model", param: "model" });
    expect(other.standIn.count).toBe(0);
    expect(await other.calls()).toEqual([]);
    expect((await other.call()).status).toBe(200);
  }));

test("a provider that reports absurd usage cannot trip the cost circuit with one number", () =>
  withProxy({ costLimitCents: 1_000 }, async (other) => {
    const [input, output] = [Number.MAX_SAFE_INTEGER - 10, 10];
    other.standIn.next({ body: completion(input, output) });
    expect((await other.call({ ...CHAT, max_tokens: 100 })).status).toBe(200);
    other.standIn.next({ pieces: [chunk({ content: "Hi" }), lastChunks(output, input)] });
    await other.call({ ...STREAM, max_tokens: 100 });
    const [whole, streamed] = await other.calls();
    expect(whole).toMatchObject({ state: "posted", estimated: 1, output_tokens: output });
    expect(whole?.input_tokens).toBeLessThan(1_001_000);
    expect(streamed).toMatchObject({ estimated: 1, input_tokens: output, output_tokens: 101_000 });
    expect((await other.manage("GET", "/settings")).body.circuit_open).toBe(false);
    expect((await other.call()).status).toBe(200);
    const warnings = other.logged.split("\n").filter((line) => line.includes("than can be"));
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain(whole?.id ?? "none");
    for (const said of ["openai", "gpt-4o-mini", String(input)])
      for (const warning of warnings) expect(warning).toContain(said);
  }));

test("the row of a call tells what happened, under the id that the client was given", async () => {
  const { headers } = await proxy.call({ ...CHAT, model: "openai/gpt-4o-mini" });
  const row = await lastCall();
  expect(row).toMatchObject({
    id: headers.get("x-request-id") ?? "",
    organization_id: proxy.organizationId,
    key_id: proxy.key.id,
    provider: "openai",
    operation: "chat",
    requested_model: "openai/gpt-4o-mini",
    served_model: "gpt-4o-mini",
    streamed: 0,
    admitted_at_ms: proxy.clock.wallMs(),
    month: 202606,
    state: "posted",
    ending: "completed",
    ended_at_ms: proxy.clock.wallMs(),
    upstream_status: 200,
    estimated: 0,
    input_tokens: 10,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 22,
    reasoning_tokens: 0,
    cost_microcents: 10 * 15 + 22 * 60,
  });
  expect(row?.price_id).toContain("gpt-4o-mini");
  // No part of what was said, on either side.
  expect(JSON.stringify(row)).not.toContain("stand-in");
});
