import { isJsonObject, type Json } from "../std/json.ts";

/**
 * Counts the bytes of what was generated in the choices of a completion or a chunk, as UTF-8: text, refusals,
 * reasoning and tool arguments. What has no reported usage is estimated from it.
 *
 * @param part `message` in a whole answer, `delta` in a chunk.
 */
export function choiceBytes(choices: Json | undefined, part: "message" | "delta"): number {
  if (!Array.isArray(choices)) return 0;
  let bytes = 0;
  for (const choice of choices) {
    if (!isJsonObject(choice)) continue;
    const generated = choice[part];
    if (isJsonObject(generated)) {
      bytes += bytesOf(generated["content"]) + bytesOf(generated["refusal"]);
      bytes += bytesOf(generated["reasoning_content"]) + bytesOf(generated["reasoning"]);
      bytes += toolBytes(generated["tool_calls"]) + functionBytes(generated["function_call"]);
    }
  }
  return bytes;
}

function toolBytes(calls: Json | undefined): number {
  if (!Array.isArray(calls)) return 0;
  let bytes = 0;
  for (const call of calls) {
    if (!isJsonObject(call)) continue;
    bytes += functionBytes(call["function"]);
    const custom = call["custom"];
    if (isJsonObject(custom)) bytes += bytesOf(custom["name"]) + bytesOf(custom["input"]);
  }
  return bytes;
}

function functionBytes(called: Json | undefined): number {
  if (!isJsonObject(called)) return 0;
  return bytesOf(called["name"]) + bytesOf(called["arguments"]);
}

function bytesOf(value: Json | undefined): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}
