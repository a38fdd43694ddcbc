import { calcPrice } from "@pydantic/genai-prices";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  COST_MICROCENTS_MAX,
  costMicrocents,
  MICROCENTS_PER_DOLLAR,
} from "../../src/domain/price.ts";
import { PROVIDER_IDS, type ProviderId } from "../../src/domain/provider.ts";
import { NO_USAGE, type Usage } from "../../src/domain/usage.ts";
import {
  catalogue,
  FALLBACK_PRICE,
  findPrice,
  hostPercent,
  priceOrFallback,
} from "../../src/providers/price_book.ts";
import { extractPrices, formatCatalogue } from "../../src/tools/make_prices.ts";

const NOW_MS = Date.parse("2026-11-22");

test("prices.json is what the pinned library gives", async () => {
  const committed = new URL("../../src/providers/prices.json", import.meta.url);
  const { catalogue } = await extractPrices();
  expect(await Bun.file(committed).text()).toBe(formatCatalogue(catalogue));
});

test("prices.json carries the licence of its source", () => {
  expect(catalogue().license).toContain("MIT License");
  expect(catalogue().license).toContain("Permission is hereby granted");
});

test("prices.json holds whole positive rates, a price for any time, and tiers in order", () => {
  for (const prices of PROVIDER_IDS.flatMap((id) => Object.values(catalogue().providers[id]))) {
    expect(prices.map(({ from }) => from ?? "")).toEqual(
      prices.map(({ from }) => from ?? "").sort(),
    );
    expect(prices[0]?.from).toBeUndefined();
    for (const { from: _, tiers = [], ...rates } of prices) {
      const thresholds = tiers.map(({ above }) => above);
      expect(thresholds).toEqual(thresholds.toSorted((a, b) => a - b));
      for (const rate of [rates, ...tiers].flatMap((each) => Object.values(each))) {
        expect(Number.isSafeInteger(rate) && rate > 0).toBe(true);
      }
    }
  }
});

const LIBRARY_NAMES: Readonly<Record<ProviderId, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  mistral: "mistral",
  azure_openai: "azure",
  groq: "groq",
};

/** The library's cost of a call, in microcents, as a double. */
function libraryCost(usage: Usage, provider: ProviderId, model: string, atMs: number): number {
  const found = calcPrice(
    {
      input_tokens: usage.inputTokens,
      cache_read_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      cache_write_1h_tokens: usage.cacheWrite1hTokens,
      input_audio_tokens: usage.inputAudioTokens,
      output_tokens: usage.outputTokens,
      output_reasoning_tokens: usage.reasoningTokens,
      output_audio_tokens: usage.outputAudioTokens,
    },
    model,
    { providerId: LIBRARY_NAMES[provider], timestamp: new Date(atMs) },
  );
  if (found === null)
    throw new Error(`Cannot price ${provider}/${model}: the library does not know it`);
  return found.total_price * MICROCENTS_PER_DOLLAR;
}

const tokens = fc.oneof(fc.nat(2_000), fc.nat(400_000), fc.constantFrom(0, 1, 90_000, 136_000));

const consistentUsage: fc.Arbitrary<Usage> = fc
  .tuple(tokens, tokens, tokens, tokens, tokens, fc.nat(100), fc.nat(100))
  .map(([fresh, read, write, write1h, output, audioPercent, reasoningPercent]) => ({
    inputTokens: fresh + read + write + write1h,
    cacheReadTokens: read,
    cacheWriteTokens: write + write1h,
    cacheWrite1hTokens: write1h,
    inputAudioTokens: Math.floor((fresh * audioPercent) / 100),
    outputTokens: output,
    reasoningTokens: Math.floor((output * reasoningPercent) / 100),
    outputAudioTokens: Math.floor((output * audioPercent) / 100),
  }));

const thresholdUsage = fc
  .tuple(fc.constantFrom(200_000, 200_001, 271_999, 272_000, 272_001), tokens)
  .map(([inputTokens, outputTokens]) => ({ ...NO_USAGE, inputTokens, outputTokens }));

// Around every day on which some price changed, and far off on either side.
const DAY_MS = 86_400_000;
const CHANGES_MS = PROVIDER_IDS.flatMap((id) => Object.values(catalogue().providers[id]))
  .flat()
  .flatMap(({ from }) => (from === undefined ? [] : [Date.parse(from)]));
const instants = fc.constantFrom(
  0,
  NOW_MS,
  NOW_MS + 3650 * DAY_MS,
  ...new Set(CHANGES_MS.flatMap((atMs) => [atMs - 1, atMs, atMs + DAY_MS])),
);

/** Every id that can be found, those borrowed for Azure deployments included. */
function idsOf(provider: ProviderId): string[] {
  const { openai, anthropic, ...rest } = catalogue().providers;
  if (provider !== "azure_openai") return Object.keys(catalogue().providers[provider]);
  return [
    ...new Set([openai, anthropic, rest.azure_openai].flatMap((models) => Object.keys(models))),
  ];
}

describe.each([...PROVIDER_IDS])("the price book of %s", (provider) => {
  test("costs every model as the library does, to the microcent", () => {
    for (const model of idsOf(provider)) {
      fc.assert(
        fc.property(fc.oneof(consistentUsage, thresholdUsage), instants, (usage, atMs) => {
          const found = findPrice(provider, model, atMs);
          if (found === null) throw new Error(`Cannot find price of ${model}`);
          const cost = costMicrocents(usage, found.price);
          const library = libraryCost(usage, provider, model, atMs);
          // The library adds up doubles, and never rounds; a thousandth allows for its drift.
          expect(cost).toBeGreaterThanOrEqual(library - 0.001);
          expect(cost).toBeLessThan(library + 1.001);
        }),
        { numRuns: 25 },
      );
    }
  });

  test("finds every model again when a date trails its id", () => {
    for (const model of idsOf(provider)) {
      if (/\d{4}$/.test(model)) continue;
      const found = findPrice(provider, model, NOW_MS);
      expect(findPrice(provider, `${model}-2031-12-31`, NOW_MS)).toBe(found);
      expect(findPrice(provider, `${model}-20311231`, NOW_MS)).toBe(found);
    }
  });
});

test.each<[ProviderId, string, dollarsPerMtok: number]>([
  ["openai", "gpt-4o", 2.5],
  ["openai", "gpt-4o-2024-08-06", 2.5],
  ["openai", "gpt-4o-2024-05-13", 5],
  ["openai", "gpt-6-sol-2026-09-01", 2],
  ["anthropic", "claude-opus-5-5", 4],
  ["anthropic", "claude-sonnet-4-20250514", 3],
  ["anthropic", "claude-3-7-sonnet-20250219", 3],
  ["anthropic", "claude-3-opus-20240229", 15],
  ["mistral", "mistral-large-latest", 2],
  ["mistral", "mistral-large-2512", 0.5],
  ["mistral", "magistral-medium-latest", 2],
  ["groq", "openai/gpt-oss-120b", 0.15],
  ["azure_openai", "gpt-4o", 2.5],
  ["azure_openai", "o3-mini", 1.1],
  ["azure_openai", "gpt-35-turbo", 0.5],
])("findPrice knows %s/%s, at $%d", (provider, model, dollarsPerMtok) => {
  const found = findPrice(provider, model, NOW_MS);
  expect(found?.price.input).toBe(Math.round(dollarsPerMtok * MICROCENTS_PER_DOLLAR));
  expect(found?.fallback).toBe(false);
});

test.each<[ProviderId, string]>([
  ["anthropic", "claude-sonnet-5-5"],
  ["anthropic", "claude-sonnet-5-5-20261001"],
  ["anthropic", "claude-opus-5-5-turbo"],
  ["anthropic", "Claude-Opus-5-5"],
  ["openai", "gpt-4o-mega"],
  ["openai", "gpt-4o-2024-08-06-eu"],
  ["openai", "gpt-4o-2024-08"],
  ["openai", "gpt-4o-2411"],
  ["openai", "gpt-5 "],
  ["openai", "claude-opus-5-5"],
  ["openai", "gpt-image-1"],
  ["openai", "__proto__"],
  ["openai", "constructor"],
  ["openai", ""],
  ["mistral", "mistral-nemo:free"],
  ["azure_openai", "my-deployment"],
])("findPrice does not guess a price for %s/%s", (provider, model) => {
  expect(findPrice(provider, model, NOW_MS)).toBeNull();
});

test("findPrice takes the price that holds at the time of the call", () => {
  const change = Date.parse("2026-08-21");
  expect(findPrice("openai", "gpt-5.6-sol", change - 1)?.price.input).toBe(500_000_000);
  expect(findPrice("openai", "gpt-5.6-sol", change)?.price.input).toBe(400_000_000);
});

test("findPrice names the price by model and day of the catalogue", () => {
  expect(findPrice("openai", "gpt-4o-2024-08-06", NOW_MS)?.priceId).toBe(
    "openai/gpt-4o-2024-08-06@2026-09-23",
  );
  expect(findPrice("azure_openai", "gpt-4o", NOW_MS)?.priceId).toBe("openai/gpt-4o@2026-09-23");
});

test("an hour's cache write of claude-opus-5-5 costs $8 per million, not $5", () => {
  const { price } = priceOrFallback("anthropic", "claude-opus-5-5", NOW_MS);
  const write = { ...NO_USAGE, inputTokens: 1_000_000, cacheWriteTokens: 1_000_000 };
  expect(costMicrocents(write, price)).toBe(5 * MICROCENTS_PER_DOLLAR);
  const hour = { ...write, cacheWrite1hTokens: 1_000_000 };
  expect(costMicrocents(hour, price)).toBe(8 * MICROCENTS_PER_DOLLAR);
});

test("more cached tokens than input cost something and do not throw, where the library throws", () => {
  const usage = { ...NO_USAGE, inputTokens: 10, cacheReadTokens: 1_000 };
  expect(() => libraryCost(usage, "anthropic", "claude-opus-5-5", NOW_MS)).toThrow();
  const { price } = priceOrFallback("anthropic", "claude-opus-5-5", NOW_MS);
  expect(costMicrocents(usage, price)).toBe(10 * 20);
});

test("priceOrFallback charges an unknown model at the fallback and marks it", () => {
  const found = priceOrFallback("openai", "gpt-9", NOW_MS);
  expect(found).toEqual({ price: FALLBACK_PRICE, priceId: "fallback", fallback: true });
});

test("the fallback costs at least as much as every model but the dearest few, which are known", () => {
  const usages = [
    { ...NO_USAGE, inputTokens: 1_000 },
    { ...NO_USAGE, inputTokens: 1_000, cacheReadTokens: 1_000 },
    { ...NO_USAGE, inputTokens: 1_000, cacheWriteTokens: 1_000 },
    { ...NO_USAGE, inputTokens: 1_000, cacheWriteTokens: 1_000, cacheWrite1hTokens: 1_000 },
    { ...NO_USAGE, inputTokens: 1_000, inputAudioTokens: 1_000 },
    { ...NO_USAGE, inputTokens: 250_000 },
    { ...NO_USAGE, inputTokens: 300_000 },
    { ...NO_USAGE, outputTokens: 1_000 },
    { ...NO_USAGE, outputTokens: 1_000, outputAudioTokens: 1_000 },
  ];
  const dearer = PROVIDER_IDS.flatMap((provider) =>
    idsOf(provider).filter((model) => {
      const found = findPrice(provider, model, NOW_MS);
      const { price } = found ?? { price: FALLBACK_PRICE };
      return usages.some(
        (usage) => costMicrocents(usage, price) > costMicrocents(usage, FALLBACK_PRICE),
      );
    }),
  );
  const families = new Set(dearer.map((model) => model.replace(/-20\d\d-?\d\d-?\d\d$/, "")));
  expect([...families].sort()).toMatchInlineSnapshot(`
    [
      "claude-3-opus",
      "claude-3-opus-latest",
      "claude-4-opus",
      "claude-opus-4",
      "claude-opus-4-0",
      "claude-opus-4-1",
      "claude-opus-4.1",
      "davinci",
      "ft:gpt-4-0",
      "gpt-4",
      "gpt-4-0314",
      "gpt-4-0613",
      "gpt-4-32k",
      "gpt-4-32k-0314",
      "gpt-4-32k-0613",
      "gpt-4.5-preview",
      "gpt-5-2-pro",
      "gpt-5-4-pro",
      "gpt-5-5-pro",
      "gpt-5-pro",
      "gpt-5.2-pro",
      "gpt-5.4-pro",
      "gpt-5.5-pro",
      "o1",
      "o1-preview",
      "o1-pro",
      "o3-pro",
      "text-davinci-001",
      "text-davinci-002",
      "text-davinci-003",
    ]
  `);
});

test("hostPercent knows the hosts that charge more than the list price", () => {
  expect(hostPercent("https://api.eu.mistral.ai/v1")).toBe(110);
  expect(hostPercent("https://api.mistral.ai/v1")).toBe(100);
  expect(hostPercent("http://localhost:9999/api.eu.mistral.ai")).toBe(100);
});

test("no model of the catalogue reaches the highest cost of a call with full context windows", () => {
  const usage = { ...NO_USAGE, inputTokens: 10_000_000, outputTokens: 1_000_000 };
  for (const model of idsOf("openai")) {
    const { price } = priceOrFallback("openai", model, NOW_MS);
    expect(costMicrocents(usage, price)).toBeLessThan(COST_MICROCENTS_MAX / 100);
  }
});
