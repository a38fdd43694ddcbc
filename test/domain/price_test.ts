import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  chargedTokens,
  COST_MICROCENTS_MAX,
  costMicrocents,
  type Price,
  RATE_KINDS,
  RATE_NAMES,
  ratesFor,
  withMultiplier,
} from "../../src/domain/price.ts";
import { NO_USAGE, type Usage } from "../../src/domain/usage.ts";

const FLAT: Price = { input: 300_000_000, output: 1_500_000_000 };
const CACHED: Price = {
  ...FLAT,
  cacheRead: 30_000_000,
  cacheWrite: 375_000_000,
  cacheWrite1h: 600_000_000,
};
const AUDIO: Price = {
  input: 250_000_000,
  output: 1_000_000_000,
  inputAudio: 3_200_000_000,
  outputAudio: 6_400_000_000,
};
const TIERED: Price = {
  input: 500_000_000,
  output: 3_000_000_000,
  cacheRead: 50_000_000,
  tiers: [
    { above: 271_999, input: 1_000_000_000, output: 4_500_000_000, cacheRead: 100_000_000 },
    { above: 500_000, input: 2_000_000_000, output: 9_000_000_000 },
  ],
};

// Each cost is worked out by hand from dollars: tokens x dollars per million x 100.
const CASES: readonly [name: string, price: Price, usage: Partial<Usage>, cost: number][] = [
  ["nothing", FLAT, {}, 0],
  ["input and output", FLAT, { inputTokens: 1_000, outputTokens: 100 }, 300_000 + 150_000],
  ["one token, rounded up to a microcent", { input: 1 }, { inputTokens: 1 }, 1],
  ["a million tokens at the least rate", { input: 1 }, { inputTokens: 1_000_000 }, 1],
  ["a million and one tokens at the least rate", { input: 1 }, { inputTokens: 1_000_001 }, 2],
  [
    "two halves of a microcent, rounded once",
    { input: 500_000, output: 500_000 },
    { inputTokens: 1, outputTokens: 1 },
    1,
  ],
  ["input only", { input: 2_000_000 }, { inputTokens: 500, outputTokens: 7 }, 1_000],
  [
    "every kind of cached token at its own rate",
    CACHED,
    {
      inputTokens: 1_000,
      cacheReadTokens: 400,
      cacheWriteTokens: 300,
      cacheWrite1hTokens: 100,
      outputTokens: 10,
    },
    300 * 300 + 400 * 30 + 200 * 375 + 100 * 600 + 10 * 1_500,
  ],
  [
    "cached tokens without rates of their own, as input",
    FLAT,
    { inputTokens: 1_000, cacheReadTokens: 400, cacheWriteTokens: 300, cacheWrite1hTokens: 100 },
    300_000,
  ],
  [
    "an hour's cache write without a rate of its own, as a cache write",
    { input: 300_000_000, cacheWrite: 375_000_000 },
    { inputTokens: 100, cacheWriteTokens: 100, cacheWrite1hTokens: 100 },
    37_500,
  ],
  [
    "audio",
    AUDIO,
    { inputTokens: 100, inputAudioTokens: 60, outputTokens: 50, outputAudioTokens: 40 },
    40 * 250 + 60 * 3_200 + 10 * 1_000 + 40 * 6_400,
  ],
  [
    "audio without rates of its own, as text",
    FLAT,
    { inputTokens: 100, inputAudioTokens: 60, outputTokens: 50, outputAudioTokens: 40 },
    30_000 + 75_000,
  ],
  [
    "reasoning as the output that it is part of",
    FLAT,
    { outputTokens: 100, reasoningTokens: 90 },
    150_000,
  ],
  [
    "a call at the threshold of a tier",
    TIERED,
    { inputTokens: 271_999, outputTokens: 1 },
    271_999 * 500 + 3_000,
  ],
  [
    "a call above the threshold: all tokens at the tier's rates",
    TIERED,
    { inputTokens: 272_000, cacheReadTokens: 2_000, outputTokens: 1 },
    270_000 * 1_000 + 2_000 * 100 + 4_500,
  ],
  [
    "a call above the second threshold",
    TIERED,
    { inputTokens: 500_001, outputTokens: 1 },
    500_001 * 2_000 + 9_000,
  ],
];

test.each(CASES)("costMicrocents charges %s", (_name, price, usage, cost) => {
  expect(costMicrocents({ ...NO_USAGE, ...usage }, price)).toBe(cost);
});

// More than 9 x 10^15 millionths of a microcent: 90 dollars and up.
test.each([
  [9_007_199, 9_007_199_000],
  [30_024_000, 30_024_000_000],
  [30_023_997, 30_023_997_000],
])("costMicrocents stays exact past 2^53, for %d tokens at $10", (inputTokens, cost) => {
  expect(costMicrocents({ ...NO_USAGE, inputTokens }, { input: 1_000_000_000 })).toBe(cost);
  // One unit more on the rate is inputTokens millionths of a microcent more, rounded up.
  const more = Math.ceil(inputTokens / 1_000_000);
  expect(costMicrocents({ ...NO_USAGE, inputTokens }, { input: 1_000_000_001 })).toBe(cost + more);
});

const tokens = fc.oneof(fc.nat(5_000), fc.nat(50_000_000));
const rate = fc.oneof(fc.nat(1_000), fc.nat(100_000_000_000));

test("costMicrocents equals the exact sum rounded up, for any tokens and rates", () => {
  fc.assert(
    fc.property(
      tokens,
      tokens,
      tokens,
      rate,
      rate,
      rate,
      (fresh, read, out, input, cacheRead, output) => {
        const usage = {
          ...NO_USAGE,
          inputTokens: fresh + read,
          cacheReadTokens: read,
          outputTokens: out,
        };
        const sum =
          BigInt(fresh) * BigInt(input) +
          BigInt(read) * BigInt(cacheRead) +
          BigInt(out) * BigInt(output);
        const cost = costMicrocents(usage, { input, cacheRead, output });
        expect(BigInt(cost)).toBe((sum + 999_999n) / 1_000_000n);
      },
    ),
    { numRuns: 500 },
  );
});

test("costMicrocents charges no more cached or audio tokens than there are tokens", () => {
  const usage = { ...NO_USAGE, inputTokens: 100, outputTokens: 10 };
  const cached = { cacheReadTokens: 900, cacheWriteTokens: 900, cacheWrite1hTokens: 900 };
  expect(costMicrocents({ ...usage, ...cached }, CACHED)).toBe(100 * 30 + 10 * 1_500);
  const written = { cacheReadTokens: 40, cacheWriteTokens: 900, cacheWrite1hTokens: 1_000 };
  expect(costMicrocents({ ...usage, ...written }, CACHED)).toBe(40 * 30 + 60 * 600 + 10 * 1_500);
  const heard = { inputAudioTokens: 900, outputAudioTokens: 900 };
  expect(costMicrocents({ ...usage, ...heard }, AUDIO)).toBe(100 * 3_200 + 10 * 6_400);
});

const absurd = fc.oneof(
  fc.constantFrom(NaN, Infinity, -Infinity, -1, -0, 0.5, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE),
  fc.double(),
);

test("costMicrocents makes a whole, bounded amount of any numbers and never throws", () => {
  const usage = fc.record({
    inputTokens: absurd,
    cacheReadTokens: absurd,
    cacheWriteTokens: absurd,
    cacheWrite1hTokens: absurd,
    inputAudioTokens: absurd,
    outputTokens: absurd,
    reasoningTokens: absurd,
    outputAudioTokens: absurd,
  });
  fc.assert(
    fc.property(usage, fc.constantFrom(FLAT, CACHED, AUDIO, TIERED), (report, price) => {
      const cost = costMicrocents(report, price);
      expect(Number.isSafeInteger(cost)).toBe(true);
      expect(cost).toBeGreaterThanOrEqual(0);
      expect(cost).toBeLessThanOrEqual(COST_MICROCENTS_MAX);
    }),
    { numRuns: 500 },
  );
});

test("costMicrocents ends at its maximum for an absurd report", () => {
  const usage = { ...NO_USAGE, outputTokens: Number.MAX_SAFE_INTEGER };
  expect(costMicrocents(usage, FLAT)).toBe(COST_MICROCENTS_MAX);
});

test("ratesFor takes the last tier whose threshold is passed", () => {
  expect(ratesFor(TIERED, 271_999).input).toBe(500_000_000);
  expect(ratesFor(TIERED, 272_000).input).toBe(1_000_000_000);
  expect(ratesFor(TIERED, 9_000_000).input).toBe(2_000_000_000);
});

test("withMultiplier raises every rate, those of tiers included, and rounds up", () => {
  const raised = withMultiplier({ input: 11, output: 200, tiers: [{ above: 5, input: 300 }] }, 110);
  expect(raised).toEqual({ input: 13, output: 220, tiers: [{ above: 5, input: 330 }] });
});

test("withMultiplier keeps a price as it is at 100 percent", () => {
  expect(withMultiplier(TIERED, 100)).toBe(TIERED);
});

test("charged tokens stand in one line each, and a part without a rate in its whole's", () => {
  const usage: Usage = {
    inputTokens: 1_000,
    cacheReadTokens: 400,
    cacheWriteTokens: 300,
    cacheWrite1hTokens: 100,
    inputAudioTokens: 50,
    outputTokens: 80,
    reasoningTokens: 30,
    outputAudioTokens: 20,
  };
  const none = { cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, inputAudio: 0, outputAudio: 0 };
  expect(chargedTokens(usage, FLAT)).toEqual({ ...none, input: 1_000, output: 80 });
  const cached = { input: 300, cacheRead: 400, cacheWrite: 200, cacheWrite1h: 100, output: 80 };
  expect(chargedTokens(usage, CACHED)).toEqual({ ...none, ...cached });
  const audio = { input: 950, inputAudio: 50, output: 60, outputAudio: 20 };
  expect(chargedTokens(usage, AUDIO)).toEqual({ ...none, ...audio });
});

test("every kind of rate has a name of its own in rows and answers", () => {
  const names = RATE_KINDS.map((kind) => RATE_NAMES[kind]);
  expect(new Set(names).size).toBe(RATE_KINDS.length);
  expect(Object.keys(RATE_NAMES).sort()).toEqual([...RATE_KINDS].sort());
});
