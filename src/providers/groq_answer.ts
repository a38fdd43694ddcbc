import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { UpstreamFault } from "../wire/translation.ts";
import { describeUpstreamError } from "../wire/upstream_error_body.ts";
import { keepMembers, mapItems, withMembers } from "./edit_value.ts";

const USAGE_MEMBERS = new Set([
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "prompt_tokens_details",
  "completion_tokens_details",
]);

/** Brings a whole answer of Groq into OpenAI's shape: reasoning under its usual name, no members missing. */
export function groqCompletion(answer: JsonObject): JsonObject {
  const { x_groq: _, ...rest } = answer;
  return withMembers(rest, {
    choices: eachChoice(answer["choices"], wholeChoice),
    usage: usageOf(answer["usage"]),
    service_tier: serviceTier(answer["service_tier"]),
  });
}

/**
 * Brings a chunk of Groq into OpenAI's shape. Usage under `x_groq` counts where there is none beside it.
 *
 * @throws {UpstreamFault} If the chunk says why the stream stops early.
 */
export function groqChunk(chunk: JsonObject): JsonObject {
  const own = isJsonObject(chunk["x_groq"]) ? chunk["x_groq"] : {};
  if (own["error"]) throw streamFault(own["error"], chunk);
  return withMembers(chunk, {
    choices: eachChoice(chunk["choices"], (choice) => withReasoning(choice, "delta")),
    usage: usageOf(isJsonObject(own["usage"]) ? (chunk["usage"] ?? own["usage"]) : chunk["usage"]),
    service_tier: serviceTier(chunk["service_tier"]),
    x_groq: undefined,
  });
}

function streamFault(error: Json, chunk: JsonObject): UpstreamFault {
  const { message, type, code } = describeUpstreamError({ error });
  const said = message ?? "Cannot complete stream: Groq stopped it";
  return new UpstreamFault(said, { type, code, body: chunk });
}

function eachChoice(
  choices: Json | undefined,
  rewrite: (choice: JsonObject) => JsonObject,
): Json | undefined {
  if (!Array.isArray(choices)) return choices;
  return mapItems(choices, (choice) => (isJsonObject(choice) ? rewrite(choice) : choice));
}

function wholeChoice(given: JsonObject): JsonObject {
  const choice = withReasoning(given, "message");
  const message = choice["message"];
  if (!isJsonObject(message)) return choice;
  const complete = withMembers(message, {
    content: message["content"] ?? null,
    refusal: message["refusal"] ?? null,
  });
  return withMembers(choice, { message: complete, logprobs: choice["logprobs"] ?? null });
}

function withReasoning(choice: JsonObject, part: "message" | "delta"): JsonObject {
  const said = choice[part];
  if (!isJsonObject(said) || !("reasoning" in said)) return choice;
  const { reasoning, ...rest } = said;
  const thought = typeof reasoning === "string" ? { reasoning_content: reasoning } : {};
  return withMembers(choice, { [part]: { ...rest, ...thought } });
}

/** Groq times its work inside `usage`, which nobody else does. */
function usageOf(usage: Json | undefined): Json | undefined {
  return isJsonObject(usage) ? keepMembers(usage, USAGE_MEMBERS) : usage;
}

function serviceTier(tier: Json | undefined): Json | undefined {
  return tier === "on_demand" ? "default" : tier;
}
