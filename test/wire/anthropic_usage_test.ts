import { expect, test } from "bun:test";
import fc from "fast-check";
import { NO_USAGE } from "../../src/domain/usage.ts";
import type { Json } from "../../src/std/json.ts";
import { readAnthropicUsage, usageOf } from "../../src/wire/anthropic_usage.ts";

test("input includes what a cache answered and what was written to it", () => {
  const reported = {
    input_tokens: 10,
    cache_creation_input_tokens: 32435,
    cache_read_input_tokens: 66360,
    cache_creation: { ephemeral_5m_input_tokens: 435, ephemeral_1h_input_tokens: 32000 },
    output_tokens: 5120,
    output_tokens_details: { thinking_tokens: 1710 },
  };
  expect(usageOf(readAnthropicUsage(reported))).toEqual({
    ...NO_USAGE,
    inputTokens: 98805,
    cacheReadTokens: 66360,
    cacheWriteTokens: 32435,
    cacheWrite1hTokens: 32000,
    outputTokens: 5120,
    reasoningTokens: 1710,
  });
});

test("a later report replaces each count it gives and no other", () => {
  const first = readAnthropicUsage({
    input_tokens: 10,
    cache_read_input_tokens: 5,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 4 },
    cache_creation_input_tokens: 4,
    output_tokens: 1,
  });
  const second = readAnthropicUsage({ input_tokens: null, output_tokens: 9 }, first);
  const last = readAnthropicUsage(undefined, second);
  expect(usageOf(last)).toEqual({
    ...NO_USAGE,
    inputTokens: 19,
    cacheReadTokens: 5,
    cacheWriteTokens: 4,
    cacheWrite1hTokens: 4,
    outputTokens: 9,
  });
});

test("writes to a cache are the sum of their lifetimes where only those are given", () => {
  const split = { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 };
  const usage = usageOf(readAnthropicUsage({ input_tokens: 1, cache_creation: split }));
  expect(usage).toEqual({
    ...NO_USAGE,
    inputTokens: 8,
    cacheWriteTokens: 7,
    cacheWrite1hTokens: 4,
  });
});

test.each<[string, Json | undefined]>([
  ["nothing", undefined],
  ["null", null],
  ["an empty object", {}],
  ["a list", [1]],
  ["counts that are none", { input_tokens: -1, output_tokens: 1.5 }],
  ["texts", { input_tokens: "12", output_tokens: "7" }],
])("%s reports no usage", (_name, reported) => {
  expect(usageOf(readAnthropicUsage(reported))).toBeNull();
});

test("usage of any report is whole and no part exceeds its whole", () => {
  const count = fc.oneof(fc.nat(), fc.constantFrom(null, -1, 1.5, 1e300, "7"));
  const pass = fc.record<Record<string, Json>>(
    {
      input_tokens: count,
      output_tokens: count,
      cache_read_input_tokens: count,
      cache_creation_input_tokens: count,
      cache_creation: fc.record({
        ephemeral_5m_input_tokens: count,
        ephemeral_1h_input_tokens: count,
      }),
      output_tokens_details: fc.record({ thinking_tokens: count }),
    },
    { requiredKeys: [] },
  );
  const report = fc.tuple(pass, fc.array(pass, { maxLength: 3 })).map(([own, iterations]) => {
    return { ...own, iterations };
  });
  fc.assert(
    fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (reports) => {
      let counts: ReturnType<typeof readAnthropicUsage> = null;
      for (const each of reports) counts = readAnthropicUsage(each, counts);
      const usage = usageOf(counts);
      if (usage === null) return;
      for (const value of Object.values(usage)) {
        expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
      }
      expect(usage.inputTokens).toBeGreaterThanOrEqual(
        usage.cacheReadTokens + usage.cacheWriteTokens,
      );
      expect(usage.cacheWriteTokens).toBeGreaterThanOrEqual(usage.cacheWrite1hTokens);
      expect(usage.outputTokens).toBeGreaterThanOrEqual(usage.reasoningTokens);
    }),
  );
});
