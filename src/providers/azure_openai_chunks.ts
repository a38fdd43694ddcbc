import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/**
 * Begins one stream: returns what brings Azure's chunks into OpenAI's shape.
 *
 * Azure's content filter adds chunks that generate nothing: one about the prompt at the start and, when it
 * runs beside the generation, annotations anywhere, also after the finish. They are swallowed. Its last word
 * on filtered output has no delta, id or time of its own, so it is given those of the chunks before.
 */
export function azureOpenAiChunks(): (chunk: JsonObject) => JsonObject | null {
  let known: JsonObject = {};
  return (chunk) => {
    const choices = chunk["choices"];
    if (!Array.isArray(choices)) return chunk;
    const kept = choices.filter((choice) => !isAnnotation(choice));
    if (kept.length === 0) {
      const speaks = isJsonObject(chunk["usage"]) || "moderation" in chunk;
      return speaks ? { ...chunk, choices: [] } : null;
    }
    if (typeof chunk["id"] === "string" && chunk["id"] !== "") {
      const { id, object, created, model } = chunk;
      known = { id, object, created, model };
      if (kept.length === choices.length && kept.every(hasDelta)) return chunk;
    }
    return { ...chunk, ...known, choices: kept.map(withDelta) };
  };
}

function isAnnotation(choice: Json): boolean {
  if (!isJsonObject(choice) || choice["finish_reason"]) return false;
  const delta = choice["delta"];
  if (!isJsonObject(delta)) return true;
  const annotated = "content_filter_offsets" in choice || "content_filter_results" in choice;
  return annotated && Object.keys(delta).length === 0;
}

function hasDelta(choice: Json): boolean {
  return isJsonObject(choice) && isJsonObject(choice["delta"]);
}

function withDelta(choice: Json): Json {
  return isJsonObject(choice) && !hasDelta(choice) ? { ...choice, delta: {} } : choice;
}
