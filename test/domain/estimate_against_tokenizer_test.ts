import { expect, test } from "bun:test";
import { join } from "node:path";
import { countTokens as cl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { estimateInputTokens, estimateOutputTokens } from "../../src/domain/estimate.ts";

/** An older and a newer tokenizer: they differ most in how well they know other scripts than Latin. */
const TOKENIZERS = { cl100k, o200k };

/** How far an estimate may be from what a tokenizer counts, as factors of that. */
interface Bounds {
  readonly held: readonly [atLeast: number, atMost: number];
  readonly settled: readonly [atLeast: number, atMost: number];
}

const LATIN: Bounds = { held: [1, 2], settled: [0.75, 1.4] };
const CODE: Bounds = { held: [1, 1.6], settled: [0.75, 1.2] };
const CJK: Bounds = { held: [1, 2.1], settled: [0.6, 1.2] };
/** The older tokenizer takes up to three times as many tokens of these as the newer one. */
const OTHER_SCRIPT: Bounds = { held: [1, 4.5], settled: [0.5, 2.5] };
const EMOJI: Bounds = { held: [0.8, 1.5], settled: [0.45, 1] };
/** Random letters compress badly. To hold enough for them would be to hold double for everything. */
const RANDOM: Bounds = { held: [0.5, 0.7], settled: [0.4, 0.6] };

const SAMPLES: Readonly<Record<string, Bounds>> = {
  english: LATIN,
  german: LATIN,
  french: LATIN,
  polish: LATIN,
  greek: OTHER_SCRIPT,
  russian: OTHER_SCRIPT,
  arabic: OTHER_SCRIPT,
  hindi: OTHER_SCRIPT,
  chinese: CJK,
  japanese: CJK,
  korean: CJK,
  typescript: CODE,
  python: CODE,
  json: CODE,
  emoji: EMOJI,
  base64: RANDOM,
  hex: RANDOM,
};

const CASES = Object.entries(SAMPLES).flatMap(([sample, bounds]) =>
  Object.entries(TOKENIZERS).map(([tokenizer, count]) => ({ sample, bounds, tokenizer, count })),
);

function read(sample: string): Promise<string> {
  return Bun.file(join(import.meta.dir, "testdata", `${sample}.txt`)).text();
}

function expectWithin(factor: number, [atLeast, atMost]: readonly [number, number]): void {
  expect(factor).toBeGreaterThanOrEqual(atLeast);
  expect(factor).toBeLessThanOrEqual(atMost);
}

test.each(CASES)(
  "what is held for $sample is within its bounds of what $tokenizer counts",
  async ({ sample, bounds, count }) => {
    const content = await read(sample);
    const body = { model: "openai/gpt-5", messages: [{ role: "user", content }] };
    expectWithin(estimateInputTokens(body, JSON.stringify(body)) / count(content), bounds.held);
  },
);

test.each(CASES)(
  "what is settled by estimate for $sample is within its bounds of what $tokenizer counts",
  async ({ sample, bounds, count }) => {
    const text = await read(sample);
    expectWithin(estimateOutputTokens(Buffer.byteLength(text)) / count(text), bounds.settled);
  },
);

test("a sample is long enough to tell", async () => {
  for (const sample of Object.keys(SAMPLES))
    expect((await read(sample)).length).toBeGreaterThanOrEqual(500);
});
