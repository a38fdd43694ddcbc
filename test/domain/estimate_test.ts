import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  DEFAULT_OUTPUT_TOKENS,
  estimateInputTokens,
  estimateOutputTokens,
  heldOutputTokens,
} from "../../src/domain/estimate.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";

const PROSE = "The quick brown fox jumps over the lazy dog. ";
const CODE = "for (let index = 0; index < rows.length; index += 1) {\n  total += rows[index];\n}\n";
const CHINESE = "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u6211\u4eec\u53bb\u516c\u56ed\u73a9\u3002";
const RUSSIAN =
  "\u0421\u0435\u0433\u043e\u0434\u043d\u044f \u0445\u043e\u0440\u043e\u0448\u0430\u044f ";
const ROCKETS = "\u{1f680}\u{1f680}\u{1f680}\u{1f680}";

function chat(content: Json, further: JsonObject = {}): JsonObject {
  return { model: "openai/gpt-5", messages: [{ role: "user", content }], ...further };
}

function estimate(body: JsonObject): number {
  return estimateInputTokens(body, JSON.stringify(body));
}

// Known counts: English and code take about 4 and 3.3 characters per token, digits three. Chinese takes 0.6 to 1.5
// tokens per character, Russian up to 0.6 per letter and an emoji 1 to 2, by the age of the tokenizer.
test.each([
  ["English", PROSE, 10, 20],
  ["code", CODE, 24, 40],
  ["digits", "0123456789", 3.3, 5],
  ["Chinese", CHINESE, 13, 26],
  ["Russian", RUSSIAN, 11, 20],
  ["emoji", ROCKETS, 6, 9],
])(
  "estimateInputTokens holds enough for %s, and not twice too much",
  (_name, text, atLeast, atMost) => {
    const repeat = 200;
    const tokens = estimate(chat(text.repeat(repeat))) - estimate(chat(""));
    expect(tokens / repeat).toBeGreaterThanOrEqual(atLeast);
    expect(tokens / repeat).toBeLessThanOrEqual(atMost);
  },
);

test("estimateInputTokens is positive for the smallest request", () => {
  expect(estimate({ model: "openai/gpt-5" })).toBeGreaterThan(0);
});

test("estimateInputTokens is a whole number that grows with every text added", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, added) => {
      const before = estimate(chat(text));
      const after = estimate(chat(text + added));
      expect(Number.isSafeInteger(before)).toBe(true);
      expect(after).toBeGreaterThanOrEqual(before);
    }),
  );
});

test("estimateInputTokens is never below a third of the bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(estimate(chat(text))).toBeGreaterThanOrEqual(Buffer.byteLength(text) / 3);
    }),
  );
});

test("estimateInputTokens counts tools, their unseen instructions included", () => {
  const tools = [{ type: "function", function: { name: "f", description: PROSE.repeat(10) } }];
  expect(estimate(chat("hi", { tools })) - estimate(chat("hi"))).toBeGreaterThan(400 + 100);
});

const BASE64 = "iVBORw0KGgo".repeat(100_000); // 1.1 million characters.
const DATA_URL = `data:application/octet-stream;base64,${BASE64}`;

test.each<[name: string, part: JsonObject, atLeast: number, atMost: number]>([
  ["an image", { type: "image_url", image_url: { url: DATA_URL } }, 5_000, 5_100],
  ["a bare image URL", { type: "image_url", image_url: DATA_URL }, 5_000, 5_100],
  [
    "an image by reference",
    { type: "image_url", image_url: { url: "https://a.example/" } },
    5_000,
    5_100,
  ],
  // 825,000 bytes: 50 seconds of MP3 at 128 kbit/s take 510 tokens, 400 seconds at 16 kbit/s take 5,000.
  ["audio", { type: "input_audio", input_audio: { data: BASE64, format: "mp3" } }, 5_000, 6_000],
  ["bare audio", { type: "input_audio", input_audio: BASE64 }, 5_000, 6_000],
  ["a file", { type: "file", file: { file_data: DATA_URL } }, 250_000, 300_000],
  ["a small file", { type: "file", file: { file_data: "data:text/plain,a" } }, 5_000, 5_100],
  ["a huge file", { type: "file", file: { file_data: BASE64.repeat(5) } }, 500_000, 500_100],
  ["a file by id", { type: "file", file: { file_id: "file-1" } }, 50_000, 50_100],
  ["a document", { type: "document_url", document_url: DATA_URL }, 250_000, 300_000],
  [
    "a document by reference",
    { type: "document_url", document_url: "https://a.example/" },
    50_000,
    50_100,
  ],
])("estimateInputTokens counts %s by what it holds", (_name, part, atLeast, atMost) => {
  const tokens = estimate(chat([part])) - estimate(chat([]));
  expect(tokens).toBeGreaterThanOrEqual(atLeast);
  expect(tokens).toBeLessThanOrEqual(atMost);
});

test("estimateInputTokens counts the text of parts of unknown types", () => {
  const part = { type: "thinking", thinking: PROSE.repeat(100) };
  expect(estimate(chat([part]))).toBeGreaterThan(1_000);
});

test("estimateInputTokens counts token ids of embeddings one by one", () => {
  const model = "openai/text-embedding-3-small";
  expect(estimate({ model, input: [100_000, 100_001, 100_002] })).toBe(16 + 3);
  expect(estimate({ model, input: [[100_000, 100_001], [100_002]] })).toBe(16 + 3);
});

test("estimateInputTokens counts embeddings texts like other text", () => {
  const model = "openai/text-embedding-3-small";
  expect(estimate({ model, input: [PROSE.repeat(100), PROSE] })).toBeGreaterThan(1_000);
});

test("estimateInputTokens is not misled by a chat request that carries token ids too", () => {
  expect(estimate(chat(PROSE.repeat(100), { input: [1] }))).toBeGreaterThan(1_000);
});

test.each([
  [0, 1],
  [1, 1],
  [7, 2],
  [8, 3],
  [3_500, 1_000],
])("estimateOutputTokens takes %d bytes for %d tokens", (bytes, tokens) => {
  expect(estimateOutputTokens(bytes)).toBe(tokens);
});

test.each<[name: string, body: JsonObject, tokens: number]>([
  ["no limit", {}, DEFAULT_OUTPUT_TOKENS],
  ["max_tokens", { max_tokens: 100 }, 100],
  [
    "two limits, of which the provider may heed either",
    { max_completion_tokens: 50, max_tokens: 100 },
    100,
  ],
  ["two limits, the newer larger", { max_completion_tokens: 100, max_tokens: 50 }, 100],
  ["a null limit", { max_completion_tokens: null, max_tokens: 100 }, 100],
  ["several answers", { max_tokens: 100, n: 3 }, 300],
  ["several answers without a limit", { n: 2 }, 2 * DEFAULT_OUTPUT_TOKENS],
  ["a limit beyond any model", { max_tokens: 1_000_000_000 }, 400_000],
  ["more answers than are given", { max_tokens: 10, n: 1_000_000 }, 1_280],
  ["a limit of zero", { max_tokens: 0 }, DEFAULT_OUTPUT_TOKENS],
  ["a negative limit", { max_tokens: -5 }, DEFAULT_OUTPUT_TOKENS],
  ["a fraction", { max_tokens: 1.5 }, DEFAULT_OUTPUT_TOKENS],
  ["a text", { max_tokens: "100" }, DEFAULT_OUTPUT_TOKENS],
  ["a number of answers that is none", { max_tokens: 10, n: -1 }, 10],
])("heldOutputTokens with %s", (_name, body, tokens) => {
  expect(heldOutputTokens(body)).toBe(tokens);
});

test("heldOutputTokens takes the default that it is given", () => {
  expect(heldOutputTokens({}, 1_000)).toBe(1_000);
});
