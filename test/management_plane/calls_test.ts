import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { charge } from "../../src/data_plane/admit.ts";
import { route } from "../../src/data_plane/route.ts";
import { NO_USAGE, type Usage } from "../../src/domain/usage.ts";
import { createLog } from "../../src/std/log.ts";
import { Directory } from "../../src/store/directory.ts";
import { type Hold, Ledger } from "../../src/store/ledger.ts";
import { callOf, settlementOf } from "../support/ledger.ts";
import { openPlane, type TestPlane } from "../support/management_plane.ts";
import { KEY_ID } from "../support/usage.ts";

const PATH = "/organizations/{org}/inference/calls";
const PRICES = "/organizations/{org}/inference/prices";
const UNIT = "microcents_per_million_tokens";

/** What a reader needs of the answer to compute the cost again. */
interface Explained {
  readonly usage: Readonly<Record<string, number>>;
  readonly cost_microcents: number;
  readonly price_id: string;
  readonly price: Readonly<Record<string, number | null>>;
  readonly charges: readonly {
    readonly kind: string;
    readonly tokens: number;
    readonly microcents_per_million_tokens: number;
  }[];
}

let plane: TestPlane;
let ledger: Ledger;
beforeEach(async () => {
  plane = await openPlane();
  const log = createLog({ level: "error", human: false, nowMs: () => 0, write: () => {} });
  ledger = new Ledger(plane.database, plane.clock, log);
  plane.live.onFlush = async () => void (await ledger.flush());
});
afterEach(async () => {
  await ledger.close();
  await plane.database.close();
});

const put = (path: string, body: unknown) =>
  plane.ask({ method: "PUT", path: `/organizations/{org}/inference${path}`, body });

function admit(requestedModel: string): Promise<Hold> {
  const { organizationId } = plane;
  return ledger.admit(callOf(plane.clock, { organizationId, requestedModel, keyId: KEY_ID }));
}

/** Charges a call as the data plane does, and returns what the management plane says of it. */
async function explained(model: string, served: string | null, parts: Partial<Usage>) {
  const directory = new Directory(plane.database);
  const organization = directory.organization(plane.organizationId);
  const target = route({ operation: "chat", requestedModel: model }, organization);
  const usage = { ...NO_USAGE, ...parts };
  const hold = await admit(model);
  const used = {
    usage,
    estimated: false,
    ...charge(target, served, usage, plane.clock.wallMs()),
  };
  ledger.settle(hold, { ...settlementOf(null), servedModel: served, used });
  const answer = await plane.ask({ path: `${PATH}/${hold.callId}` });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as Explained;
}

function roundedUp(products: readonly (readonly [tokens: number, rate: number])[]): number {
  const sum = products.reduce((all, [tokens, rate]) => all + BigInt(tokens) * BigInt(rate), 0n);
  return Number((sum + 999_999n) / 1_000_000n);
}

/** Multiplies the lines out. */
function costOfLines({ charges }: Explained): number {
  return roundedUp(charges.map((line) => [line.tokens, line.microcents_per_million_tokens]));
}

/** Multiplies usage and price, as somebody would who knows what the parts are parts of. */
function costOfUsage({ usage, price }: Explained): number {
  const rate = (name: string) => price[`${name}_${UNIT}`] ?? null;
  const tokens = (name: string) => usage[`${name}_tokens`] ?? 0;
  const apart = (name: string) => (rate(name) === null ? 0 : tokens(name));
  const write1h = apart("cache_write_1h");
  const kinds: [string, number][] = [
    ["cache_read", apart("cache_read")],
    ["cache_write", apart("cache_write") - write1h],
    ["cache_write_1h", write1h],
    ["input_audio", apart("input_audio")],
    ["output_audio", apart("output_audio")],
  ];
  const rest = kinds.slice(0, 4).reduce((left, [, count]) => left - count, tokens("input"));
  kinds.push(["input", rest], ["output", tokens("output") - apart("output_audio")]);
  return roundedUp(kinds.map(([name, count]) => [count, rate(name) ?? 0]));
}

const MIXED = { inputTokens: 1_001, outputTokens: 333, reasoningTokens: 100 };
const CACHED = { ...MIXED, cacheReadTokens: 512 };
const WRITTEN = { ...CACHED, cacheWriteTokens: 300, cacheWrite1hTokens: 113 };

interface Case {
  readonly name: string;
  readonly model: string;
  readonly served?: string;
  readonly usage: Partial<Usage>;
  readonly price: object;
  readonly kinds: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "plain",
    model: "openai/gpt-4o-mini",
    usage: MIXED,
    price: { percent: 100, tier_above_input_tokens: null },
    kinds: ["input", "output"],
  },
  {
    name: "with cached input",
    model: "openai/gpt-4o-mini",
    usage: CACHED,
    price: { percent: 100 },
    kinds: ["input", "output", "cache_read"],
  },
  {
    name: "with cached input at a price without a rate for it",
    model: "mistral/mistral-small-latest",
    usage: CACHED,
    price: { percent: 100 },
    kinds: ["input", "output"],
  },
  {
    name: "with cache writes of both lifetimes",
    model: "anthropic/claude-sonnet-4-5",
    usage: WRITTEN,
    price: { tier_above_input_tokens: null },
    kinds: ["input", "output", "cache_read", "cache_write", "cache_write_1h"],
  },
  {
    name: "above a tier",
    model: "anthropic/claude-sonnet-4-5",
    usage: { ...WRITTEN, inputTokens: 200_001 },
    price: { tier_above_input_tokens: 200_000 },
    kinds: ["input", "output", "cache_read", "cache_write", "cache_write_1h"],
  },
  {
    name: "at the fallback, with audio",
    model: "openai/unheard-of",
    usage: { ...WRITTEN, inputAudioTokens: 20, outputAudioTokens: 33 },
    price: { percent: 100 },
    kinds: ["input", "output", "cache_write", "cache_write_1h", "input_audio", "output_audio"],
  },
  {
    name: "of a deployment, by the model it served",
    model: "azure_openai/prod",
    served: "gpt-4o",
    usage: CACHED,
    price: { percent: 100 },
    kinds: ["input", "output", "cache_read"],
  },
];

describe("the cost of a call", () => {
  beforeEach(async () => {
    await put("/settings", { monthly_cost_limit_cents: 100_000_000 });
    for (const provider of ["openai", "anthropic", "mistral"])
      await put("/providers", { provider, api_key: "sk-0123456789" });
    const base_url = "https://acme.openai.azure.com";
    await put("/providers", { provider: "azure_openai", api_key: "sk-0123456789", base_url });
  });

  test.each(CASES)("$name can be computed again", async (one) => {
    const answer = await explained(one.model, one.served ?? null, one.usage);
    expect(answer.cost_microcents).toBeGreaterThan(0);
    expect(costOfLines(answer)).toBe(answer.cost_microcents);
    expect(costOfUsage(answer)).toBe(answer.cost_microcents);
    expect(answer.price).toMatchObject(one.price);
    expect(answer.charges.map((line) => line.kind)).toEqual([...one.kinds]);
  });

  test("at an EU host can be computed again: the addition is in the rates", async () => {
    const plain = await explained("mistral/mistral-small-latest", null, MIXED);
    await put("/settings", { eu_only: true });
    const answer = await explained("mistral/mistral-small-latest", null, MIXED);
    const name = `input_${UNIT}`;
    expect(answer.price).toMatchObject({
      percent: 110,
      [name]: ((plain.price[name] ?? 0) * 11) / 10,
    });
    expect(answer.price_id).toBe(plain.price_id);
    expect(answer.cost_microcents).toBeGreaterThan(plain.cost_microcents);
    expect(costOfLines(answer)).toBe(answer.cost_microcents);
    expect(costOfUsage(answer)).toBe(answer.cost_microcents);
  });

  test("at an own price can be computed again, also once the price is another", async () => {
    await put("/settings", { eu_only: true });
    const own = (rate: number) => ({
      model: "mistral/mistral-small-latest",
      [`input_${UNIT}`]: rate,
      [`output_${UNIT}`]: 0,
    });
    await put("/prices", own(123_457));
    const before = await explained("mistral/mistral-small-latest", null, MIXED);
    // 1001 tokens x 123457 are 123,580,457 millionths.
    const expected = {
      cost_microcents: 124,
      price_id: `override/mistral/mistral-small-latest@${plane.clock.wallMs()}`,
      price: { percent: 100, [`input_${UNIT}`]: 123_457, [`output_${UNIT}`]: 0 },
    };
    expect(before).toMatchObject(expected);
    expect(costOfLines(before)).toBe(124);
    plane.clock.advance(1);
    await put("/prices", own(0));
    const free = await explained("mistral/mistral-small-latest", null, MIXED);
    expect(free).toMatchObject({ cost_microcents: 0, price: { [`input_${UNIT}`]: 0 } });
    expect(free.price_id).not.toBe(expected.price_id);
    await plane.ask({ method: "DELETE", path: `${PRICES}/mistral/mistral-small-latest` });
    const row = await plane.db
      .selectFrom("calls")
      .select("id")
      .where("price_id", "=", expected.price_id)
      .executeTakeFirstOrThrow();
    expect((await plane.ask({ path: `${PATH}/${row.id}` })).json).toMatchObject(expected);
  });

  test("of an alias names the model of the catalogue that it was priced as", async () => {
    await put("/prices", { model: "azure_openai/prod", alias_of: "anthropic/claude-sonnet-4-5" });
    const answer = await explained("azure_openai/prod", "gpt-4o", WRITTEN);
    expect(answer.price_id).toStartWith("anthropic/claude-sonnet-4-5@");
    expect(costOfLines(answer)).toBe(answer.cost_microcents);
  });
});

describe("GET calls/{callId}", () => {
  const settled = {
    key_id: KEY_ID,
    provider: "openai",
    operation: "chat",
    model: "openai/gpt-5",
    streamed: true,
    admitted_at: "2026-06-15T12:00:00Z",
    estimated: false,
    held_tokens: 1_000,
    held_cost_microcents: 1_000,
  };
  const none = {
    input_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    cache_write_1h_tokens: 0,
    input_audio_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    output_audio_tokens: 0,
    total_tokens: 0,
  };

  beforeEach(() => put("/settings", { monthly_cost_limit_cents: 100_000_000 }));

  test("says everything about a call that there is to say", async () => {
    const hold = await admit("openai/gpt-5");
    plane.clock.advance(2_000);
    ledger.settle(hold, settlementOf({ input: 120, output: 30 }));
    const { json, text } = await plane.ask({ path: `${PATH}/${hold.callId.toUpperCase()}` });
    expect(json).toEqual({
      id: hold.callId,
      ...settled,
      served_model: "gpt-5-2025",
      ended_at: "2026-06-15T12:00:02Z",
      state: "posted",
      ending: "completed",
      upstream_status: 200,
      usage: { ...none, input_tokens: 120, output_tokens: 30, total_tokens: 150 },
      cost_microcents: 150,
      price_id: "openai/gpt-5@2026-06-01",
      price: {
        percent: 100,
        tier_above_input_tokens: null,
        [`input_${UNIT}`]: 1_000_000,
        [`output_${UNIT}`]: 1_000_000,
      },
      charges: [
        { kind: "input", tokens: 120, microcents_per_million_tokens: 1_000_000 },
        { kind: "output", tokens: 30, microcents_per_million_tokens: 1_000_000 },
      ],
    });
    expect(text).not.toContain(plane.organizationId);
  });

  test("of a call in flight only its hold is known, whatever is noted for a crash", async () => {
    const hold = await admit("openai/gpt-5");
    ledger.checkpoint(hold, 70, 170);
    expect((await plane.ask({ path: `${PATH}/${hold.callId}` })).json).toEqual({
      id: hold.callId,
      ...settled,
      served_model: null,
      ended_at: null,
      state: "pending",
      ending: null,
      upstream_status: null,
      usage: none,
      cost_microcents: 0,
      price_id: null,
      price: null,
      charges: [],
    });
  });

  test("a voided call cost nothing", async () => {
    const hold = await admit("openai/gpt-5");
    ledger.settle(hold, { ...settlementOf(null), upstreamStatus: 429 });
    expect((await plane.ask({ path: `${PATH}/${hold.callId}` })).json).toMatchObject({
      state: "voided",
      upstream_status: 429,
      usage: none,
      cost_microcents: 0,
      price: null,
    });
  });

  test("another organization's call is not there, like one that never was", async () => {
    const hold = await admit("openai/gpt-5");
    ledger.settle(hold, settlementOf({ input: 1, output: 1 }));
    const foreign = `/organizations/${plane.otherId}/inference/calls`;
    const texts = new Set<string>();
    for (const id of [hold.callId, "019ecb27-2200-7440-b544-000000000000", "x", "%2e%2e%2f", "'"]) {
      const answer = await plane.ask({ as: "outsider", path: `${foreign}/${id}` });
      expect(answer).toMatchObject({ status: 404, json: { code: "call_not_found" } });
      texts.add(answer.text);
    }
    expect([...texts]).toHaveLength(1);
  });
});
