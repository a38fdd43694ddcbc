import { invalidValue, unsupportedParameter } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import type { QuirkedRequest } from "../wire/openai_quirks.ts";
import type { ClientRequest } from "../wire/translation.ts";
import { UpstreamFault } from "../wire/translation.ts";
import { withMembers } from "./edit_value.ts";
import { applyFieldRules, drop, type FieldRule, omit, pass } from "./field_rules.ts";

const FIXED_DIMENSIONS = 1024;

const FIELDS: Readonly<Record<string, FieldRule>> = {
  model: pass,
  input: pass,
  metadata: pass,
  output_dimension: pass,
  encoding_format: omit,
  // Anything but floats could not be told from floats in the answer.
  output_dtype: (value) => {
    if (value === "float") return "omit";
    throw unsupportedParameter("output_dtype", "Cannot send output_dtype: only floats are served");
  },
};

/**
 * Rewrites an embeddings request for Mistral. Floats are asked for always; base64 is made of them here.
 *
 * @throws {ProxyError} If Mistral cannot honour a field.
 */
export function mistralEmbeddingsRequest(request: ClientRequest): QuirkedRequest {
  const { encoding_format: encoding } = request.body;
  if (!["float", "base64", null, undefined].some((known) => known === encoding)) {
    throw invalidValue("encoding_format", 'Cannot encode embeddings: expected "float" or "base64"');
  }
  checkInput(request.body["input"]);
  const rules = { ...FIELDS, dimensions: dimensions(request.upstreamModel) };
  const { body, dropped } = applyFieldRules(request.body, rules, drop);
  return { body: withMembers(body, { encoding_format: "float" }), dropped };
}

/**
 * Brings an embeddings answer of Mistral into OpenAI's shape and into the encoding that the client asked for.
 *
 * @throws {UpstreamFault} If an embedding is no list of numbers.
 */
export function mistralEmbeddings(answer: JsonObject, request: ClientRequest): JsonObject {
  const { data, usage } = answer;
  if (!Array.isArray(data)) return answer;
  const base64 = request.body["encoding_format"] === "base64";
  const rows = data.filter(isJsonObject).map((row, at) => {
    const { index, embedding } = row;
    return {
      object: "embedding",
      index: typeof index === "number" ? index : at,
      embedding: base64 ? base64Of(embedding) : embedding,
    };
  });
  return withMembers(answer, {
    object: "list",
    data: rows.toSorted((left, right) => left.index - right.index),
    usage: isJsonObject(usage) ? embeddingsUsage(usage) : usage,
  });
}

function checkInput(input: Json | undefined): void {
  if (typeof input === "string" && input !== "") return;
  const texts = Array.isArray(input) && input.length > 0 ? input : [null];
  if (texts.every((text) => typeof text === "string" && text !== "")) return;
  throw invalidValue(
    "input",
    "Cannot embed input: Mistral takes a text or a list of texts, none empty, and no token numbers",
  );
}

function dimensions(model: string): FieldRule {
  if (!model.startsWith("mistral-embed")) {
    return (value) => ({ name: "output_dimension", value });
  }
  return (value) => {
    if (value === FIXED_DIMENSIONS) return "omit";
    throw invalidValue(
      "dimensions",
      `Cannot send dimensions: ${model} makes ${FIXED_DIMENSIONS}, neither more nor fewer`,
    );
  };
}

/** Encodes floats of 32 bits, little-endian, as OpenAI does. */
function base64Of(embedding: Json | undefined): string {
  if (!Array.isArray(embedding) || !embedding.every((value) => typeof value === "number")) {
    throw new UpstreamFault("Cannot read embedding: it is no list of numbers");
  }
  const bytes = new DataView(new ArrayBuffer(embedding.length * 4));
  embedding.forEach((value, at) => {
    bytes.setFloat32(at * 4, value, true);
  });
  return Buffer.from(bytes.buffer).toString("base64");
}

function embeddingsUsage(usage: JsonObject): JsonObject {
  const input = usage["prompt_tokens"] ?? 0;
  return { prompt_tokens: input, total_tokens: input };
}
