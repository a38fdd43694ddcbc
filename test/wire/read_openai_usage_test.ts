import { expect, test } from "bun:test";
import fc from "fast-check";
import { NO_USAGE, type Usage } from "../../src/domain/usage.ts";
import type { JsonObject } from "../../src/std/json.ts";
import { addsUp, readOpenAiUsage } from "../../src/wire/read_openai_usage.ts";

const CASES: readonly [name: string, given: JsonObject, usage: Partial<Usage>][] = [
  [
    "input and output",
    { prompt_tokens: 9, completion_tokens: 3 },
    { inputTokens: 9, outputTokens: 3 },
  ],
  ["embeddings", { prompt_tokens: 8, total_tokens: 8 }, { inputTokens: 8 }],
  ["output alone", { completion_tokens: 3 }, { outputTokens: 3 }],
  ["zeros", { prompt_tokens: 0, completion_tokens: 0 }, {}],
  [
    "every part",
    {
      prompt_tokens: 100,
      completion_tokens: 50,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30, audio_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 40, audio_tokens: 5 },
    },
    {
      inputTokens: 100,
      cacheReadTokens: 60,
      cacheWriteTokens: 30,
      inputAudioTokens: 10,
      outputTokens: 50,
      reasoningTokens: 40,
      outputAudioTokens: 5,
    },
  ],
  [
    "cached tokens under a third name",
    { prompt_tokens: 9, completion_tokens: 1, num_cached_tokens: 4 },
    { inputTokens: 9, outputTokens: 1, cacheReadTokens: 4 },
  ],
  [
    "details under a name in the singular",
    { prompt_tokens: 9, prompt_token_details: { cached_tokens: 4 } },
    { inputTokens: 9, cacheReadTokens: 4 },
  ],
  [
    "more cached than there was input",
    { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 4_000, cache_write_tokens: 5 } },
    { inputTokens: 9, cacheReadTokens: 9 },
  ],
  [
    "more written to the cache than was left to write",
    { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 9 } },
    { inputTokens: 9, cacheReadTokens: 4, cacheWriteTokens: 5 },
  ],
  [
    "parts beyond their whole",
    {
      prompt_tokens: 2,
      completion_tokens: 3,
      prompt_tokens_details: { audio_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 7, audio_tokens: 8 },
    },
    {
      inputTokens: 2,
      outputTokens: 3,
      inputAudioTokens: 2,
      reasoningTokens: 3,
      outputAudioTokens: 3,
    },
  ],
  [
    "details that are none",
    { prompt_tokens: 2, prompt_tokens_details: null, completion_tokens_details: [1] },
    { inputTokens: 2 },
  ],
  [
    "parts that are no numbers",
    { prompt_tokens: 2, prompt_tokens_details: { cached_tokens: "1", audio_tokens: -1 } },
    { inputTokens: 2 },
  ],
];

test.each(CASES)("usage with %s is read", (_, given, usage) => {
  expect(readOpenAiUsage(given)).toEqual({ ...NO_USAGE, ...usage });
});

const ABSURD = [
  "9",
  -1,
  1.5,
  0.1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  1e300,
  null,
  true,
  [],
  {},
  undefined,
];

for (const value of ABSURD) {
  test(`${Bun.inspect(value)} is no number of tokens and counts as absent`, () => {
    const output = readOpenAiUsage({ prompt_tokens: value, completion_tokens: 3 });
    expect(output).toEqual({ ...NO_USAGE, outputTokens: 3 });
    const input = readOpenAiUsage({ prompt_tokens: 3, completion_tokens: value });
    expect(input).toEqual({ ...NO_USAGE, inputTokens: 3 });
    expect(readOpenAiUsage({ prompt_tokens: value, completion_tokens: value })).toBeNull();
  });
}

for (const value of [null, undefined, "usage", 7, [], {}, { total_tokens: 5 }]) {
  test(`${JSON.stringify(value)} reports no usage`, () => {
    expect(readOpenAiUsage(value)).toBeNull();
  });
}

test("whatever is reported, every number is whole, and no part exceeds its whole", () => {
  const anyNumber = fc.oneof(fc.nat(), fc.integer(), fc.double(), fc.string(), fc.constant(null));
  const anyDetails = fc.record(
    {
      cached_tokens: anyNumber,
      cache_write_tokens: anyNumber,
      audio_tokens: anyNumber,
      reasoning_tokens: anyNumber,
    },
    { requiredKeys: [] },
  );
  const anyUsage = fc.record(
    {
      prompt_tokens: anyNumber,
      completion_tokens: anyNumber,
      total_tokens: anyNumber,
      num_cached_tokens: anyNumber,
      prompt_tokens_details: fc.oneof(anyDetails, anyNumber),
      prompt_token_details: anyDetails,
      completion_tokens_details: fc.oneof(anyDetails, anyNumber),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyUsage, (given) => {
      const usage = readOpenAiUsage(given);
      if (usage === null) return;
      for (const tokens of Object.values(usage)) {
        expect(Number.isSafeInteger(tokens)).toBe(true);
        expect(tokens).toBeGreaterThanOrEqual(0);
      }
      const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = usage;
      expect(cacheReadTokens + cacheWriteTokens).toBeLessThanOrEqual(inputTokens);
      expect(usage.cacheWrite1hTokens).toBeLessThanOrEqual(cacheWriteTokens);
      expect(usage.inputAudioTokens).toBeLessThanOrEqual(inputTokens);
      expect(usage.reasoningTokens).toBeLessThanOrEqual(outputTokens);
      expect(usage.outputAudioTokens).toBeLessThanOrEqual(outputTokens);
    }),
    { numRuns: 500 },
  );
});

const SUMS: readonly [given: JsonObject, sum: boolean][] = [
  [{ prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }, true],
  [{ prompt_tokens: 9, total_tokens: 9 }, true],
  [{ prompt_tokens: 9, completion_tokens: 3, total_tokens: 13 }, false],
  [{ prompt_tokens: 9, completion_tokens: 3 }, false],
  [{ prompt_tokens: 9, completion_tokens: 3, total_tokens: "12" }, false],
  [{ prompt_tokens: "9", completion_tokens: 3, total_tokens: 12 }, false],
];

for (const [given, sum] of SUMS) {
  test(`${JSON.stringify(given)} ${sum ? "adds up" : "does not add up"}`, () => {
    expect(addsUp(given)).toBe(sum);
  });
}
