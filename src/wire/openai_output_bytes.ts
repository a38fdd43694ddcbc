import { isJsonObject, type Json } from "../std/json.ts";

/**
 * A token of speech is a twentieth of a second: 2,400 bytes of what streams carry, 16 bits at 24 kHz, and 3,200
 * characters of base64. Estimates take 3.5 bytes of text for a token.
 */
const SPEECH_CHARS_PER_BYTE = 3200 / 3.5;

/**
 * Counts the bytes of what was generated in the choices of a completion or a chunk, as UTF-8: text, refusals,
 * reasoning, tool arguments and transcripts; speech as the text that is worth as many tokens. What has no
 * reported usage is estimated from it.
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
      bytes += speechBytes(generated["audio"]);
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

function speechBytes(audio: Json | undefined): number {
  if (!isJsonObject(audio)) return 0;
  const { transcript, data } = audio;
  const chars = typeof data === "string" ? data.length : 0;
  return bytesOf(transcript) + Math.ceil(chars / SPEECH_CHARS_PER_BYTE);
}

function bytesOf(value: Json | undefined): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}
