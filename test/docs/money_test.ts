import { expect, test } from "bun:test";
import { DEFAULT_OUTPUT_TOKENS, heldOutputTokens } from "../../src/domain/estimate.ts";
import { chargedTokens, costMicrocents, type RateKind } from "../../src/domain/price.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { FALLBACK_PRICE, findPrice } from "../../src/providers/price_book.ts";
import { pageNamed } from "./pages.ts";

const PAGE = pageNamed("limits.md").text;
const NOW_MS = Date.UTC(2026, 10, 1);

const written = (number: number) => number.toLocaleString("en-US");

const EXAMPLES = [
  {
    provider: "openai",
    model: "gpt-5",
    usage: {
      inputTokens: 12_000,
      cacheReadTokens: 10_240,
      outputTokens: 900,
      reasoningTokens: 640,
    },
    cost: 1_248_000,
    dollars: "$0.01248",
  },
  {
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    usage: {
      inputTokens: 12_000,
      cacheReadTokens: 8_000,
      cacheWriteTokens: 3_000,
      outputTokens: 500,
    },
    cost: 2_415_000,
    dollars: "$0.02415",
  },
] as const;

for (const { provider, model, usage, cost, dollars } of EXAMPLES) {
  test(`the worked example of ${model} is what the program charges`, () => {
    const found = findPrice(provider, model, NOW_MS);
    if (found === null) throw new Error("the catalogue has no such model any more");
    const whole = { ...NO_USAGE, ...usage };
    expect(costMicrocents(whole, found.price)).toBe(cost);
    expect(PAGE).toContain(`${written(cost)} microcents, ${dollars}`);
    const lines = Object.entries(chargedTokens(whole, found.price)) as [RateKind, number][];
    for (const [kind, tokens] of lines) {
      if (tokens === 0) continue;
      const rate = found.price[kind] ?? 0;
      const cells = [tokens, rate, tokens * rate].map((cell) => `${written(cell)} *`);
      expect(PAGE).toMatch(new RegExp(`^\\| .* \\| ${cells.join("\\| ")}\\|$`, "m"));
    }
  });
}

test("without the cache, the first example costs what the page says", () => {
  const price = findPrice("openai", "gpt-5", NOW_MS)?.price ?? FALLBACK_PRICE;
  const cost = costMicrocents({ ...NO_USAGE, inputTokens: 12_000, outputTokens: 900 }, price);
  expect(PAGE).toContain(`would cost ${written(cost)} microcents`);
});

test("what is held without a limit, and at most, is what the page says", () => {
  expect(PAGE).toContain(`that is ${written(DEFAULT_OUTPUT_TOKENS)} tokens`);
  const most = heldOutputTokens({ max_completion_tokens: 10_000_000 });
  expect(PAGE.replaceAll("\n", " ")).toContain(
    `above ${written(most)} is held as ${written(most)}`,
  );
});

test("the fallback rates are what the page says", () => {
  const dollars = (microcents: number | undefined) => `$${(microcents ?? 0) / 100_000_000}`;
  const [tier] = FALLBACK_PRICE.tiers ?? [];
  const text = PAGE.replaceAll("\n", " ");
  expect(text).toContain(
    `${dollars(FALLBACK_PRICE.input)} for a million input tokens and ${dollars(FALLBACK_PRICE.output)} output, ` +
      `and ${dollars(tier?.input)} and ${dollars(tier?.output)} above ${written(tier?.above ?? 0)} input tokens`,
  );
});
