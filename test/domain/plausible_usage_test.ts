import { expect, test } from "bun:test";
import fc from "fast-check";
import { plausibleUsage } from "../../src/domain/plausible_usage.ts";
import { NO_USAGE, type Usage } from "../../src/domain/usage.ts";

const KNOWN = { inputTokens: 40, outputTokens: 100 };

test("a report within its bounds is taken as it is", () => {
  const reported = { ...NO_USAGE, inputTokens: 1_000_400, outputTokens: 101_000 };
  expect(plausibleUsage(reported, KNOWN)).toBe(reported);
});

test.each([
  [
    "input",
    { inputTokens: 1_000_401, outputTokens: 7 },
    { inputTokens: 1_000_400, outputTokens: 7 },
  ],
  ["output", { inputTokens: 7, outputTokens: 101_001 }, { inputTokens: 7, outputTokens: 101_000 }],
  [
    "both",
    { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: Number.MAX_SAFE_INTEGER },
    { inputTokens: 1_000_400, outputTokens: 101_000 },
  ],
] as const)("a report beyond its bounds is cut to them: %s", (_name, reported, expected) => {
  expect(plausibleUsage({ ...NO_USAGE, ...reported }, KNOWN)).toEqual({ ...NO_USAGE, ...expected });
});

test("the bounds grow with what is known of the call", () => {
  const reported = { ...NO_USAGE, inputTokens: 9_000_000, outputTokens: 900_000 };
  const known = { inputTokens: 1_000_000, outputTokens: 128_000 };
  expect(plausibleUsage(reported, known)).toBe(reported);
});

test("whatever is reported, nothing grows by it, and a part that was within its whole stays so", () => {
  const tokens = fc.oneof(fc.nat(1_000), fc.nat(1_000_000), fc.maxSafeNat());
  const split = fc.tuple(tokens, fc.nat(100), fc.nat(100), fc.nat(100));
  fc.assert(
    fc.property(split, split, tokens, ([input, ...ins], [output, ...outs], known) => {
      const reported = usage(input, ins, output, outs);
      const cut = plausibleUsage(reported, { inputTokens: known / 2, outputTokens: known / 2 });
      for (const [name, count] of Object.entries(cut))
        expect(count).toBeLessThanOrEqual(reported[name as keyof Usage]);
      expect(cut.cacheReadTokens + cut.cacheWriteTokens).toBeLessThanOrEqual(cut.inputTokens);
      expect(cut.cacheWrite1hTokens).toBeLessThanOrEqual(cut.cacheWriteTokens);
      expect(cut.inputAudioTokens).toBeLessThanOrEqual(cut.inputTokens);
      expect(cut.reasoningTokens).toBeLessThanOrEqual(cut.outputTokens);
      expect(cut.outputAudioTokens).toBeLessThanOrEqual(cut.outputTokens);
    }),
  );
});

/** A usage whose parts are percentages of what they are parts of. */
function usage(input: number, ins: number[], output: number, outs: number[]): Usage {
  // Rounded, a hundred hundredths of a huge number can be more than it.
  const part = (whole: number, percent = 0) => Math.min(whole, Math.floor((whole / 100) * percent));
  const cacheReadTokens = part(input, ins[0]);
  const cacheWriteTokens = part(input - cacheReadTokens, ins[1]);
  return {
    inputTokens: input,
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite1hTokens: part(cacheWriteTokens, ins[2]),
    inputAudioTokens: part(input, ins[2]),
    outputTokens: output,
    reasoningTokens: part(output, outs[0]),
    outputAudioTokens: part(output, outs[1]),
  };
}
