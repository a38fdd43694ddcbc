import { isJsonObject, type Json } from "../std/json.ts";

/**
 * Counts the generated characters in the choices of a completion or a chunk: text, refusals, reasoning and
 * tool arguments. What has no reported usage is estimated from it.
 *
 * @param part `message` in a whole answer, `delta` in a chunk.
 */
export function choiceChars(choices: Json | undefined, part: "message" | "delta"): number {
  if (!Array.isArray(choices)) return 0;
  let chars = 0;
  for (const choice of choices) {
    if (!isJsonObject(choice)) continue;
    const generated = choice[part];
    if (isJsonObject(generated)) {
      chars += charsOf(generated["content"]) + charsOf(generated["refusal"]);
      chars += charsOf(generated["reasoning_content"]) + charsOf(generated["reasoning"]);
      chars += toolChars(generated["tool_calls"]) + functionChars(generated["function_call"]);
    }
  }
  return chars;
}

function toolChars(calls: Json | undefined): number {
  if (!Array.isArray(calls)) return 0;
  let chars = 0;
  for (const call of calls) {
    if (!isJsonObject(call)) continue;
    chars += functionChars(call["function"]);
    const custom = call["custom"];
    if (isJsonObject(custom)) chars += charsOf(custom["name"]) + charsOf(custom["input"]);
  }
  return chars;
}

function functionChars(called: Json | undefined): number {
  if (!isJsonObject(called)) return 0;
  return charsOf(called["name"]) + charsOf(called["arguments"]);
}

function charsOf(value: Json | undefined): number {
  return typeof value === "string" ? value.length : 0;
}
