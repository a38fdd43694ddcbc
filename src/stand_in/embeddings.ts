import * as v from "valibot";
import type { JsonObject } from "../std/json.ts";

const Tokens = v.pipe(v.array(v.pipe(v.number(), v.integer())), v.minLength(1));
const Text = v.pipe(v.string(), v.nonEmpty());
const Input = v.union([
  Text,
  Tokens,
  v.pipe(v.array(Text), v.minLength(1), v.maxLength(2048)),
  v.pipe(v.array(Tokens), v.minLength(1), v.maxLength(2048)),
]);

/** An embeddings request as OpenAI takes it. */
export const EmbeddingsRequest = v.strictObject({
  model: Text,
  input: Input,
  encoding_format: v.optional(v.picklist(["float", "base64"])),
  dimensions: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096))),
  user: v.optional(v.string()),
});

/** An embeddings request as Mistral takes it: texts only, and always answered with numbers. */
export const MistralEmbeddingsRequest = v.strictObject({
  model: Text,
  input: v.union([Text, v.pipe(v.array(Text), v.minLength(1))]),
  encoding_format: v.optional(v.literal("float")),
  output_dimension: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096))),
  output_dtype: v.optional(v.picklist(["float", "int8", "uint8", "binary", "ubinary"])),
  metadata: v.optional(v.looseObject({})),
});

const DIMENSIONS = 16;
const CHARS_PER_TOKEN = 4;

/** Answers an embeddings request; the same input has the same vector. */
export function embeddings(
  request: { input: v.InferOutput<typeof Input>; encoding_format?: "float" | "base64" | undefined },
  model: string,
  dimensions = DIMENSIONS,
): JsonObject {
  const inputs = inputsOf(request.input);
  const data = inputs.map((input, index) => {
    const vector = vectorOf(JSON.stringify(input), dimensions);
    const embedding = request.encoding_format === "base64" ? base64Of(vector) : vector;
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, input) => sum + tokensOf(input), 0);
  return { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function inputsOf(input: v.InferOutput<typeof Input>): (string | number[])[] {
  if (typeof input === "string") return [input];
  const tokens = input.filter((one) => typeof one === "number");
  if (tokens.length > 0) return [tokens];
  return input.filter((one) => typeof one !== "number");
}

function tokensOf(input: string | number[]): number {
  return typeof input === "string" ? Math.ceil(input.length / CHARS_PER_TOKEN) : input.length;
}

/** Makes numbers between -1 and 1 that a 32-bit float holds exactly, so both encodings agree. */
function vectorOf(text: string, dimensions: number): number[] {
  const vector: number[] = [];
  for (let block = 0; vector.length < dimensions; block += 1) {
    const hash = new Bun.CryptoHasher("sha256").update(`${block}:${text}`).digest();
    for (const byte of hash) vector.push((byte - 128) / 128);
  }
  return vector.slice(0, dimensions);
}

function base64Of(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true);
  return new Uint8Array(view.buffer).toBase64();
}
