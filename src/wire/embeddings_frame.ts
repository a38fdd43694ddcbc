import { type JsonObject, parseJsonObject } from "../std/json.ts";

/** Below this many characters an answer is parsed as a whole: it costs next to nothing. */
export const FRAME_CHARS_MIN = 16_384;

/** How far from the end the members behind the vectors may begin, in characters. */
const TAIL_CHARS = 2_000;

const HEAD = /^\s*\{\s*"object"\s*:\s*"list"\s*,\s*"data"\s*:\s*\[/;
const HEAD_CHARS = 100;

/** What stands between the vectors and the next member. */
const BETWEEN = /\]\s*,\s*$/;

const MODEL = '"model"';
const ERROR = '"error"';

/**
 * Reads what stands around the vectors of a long embeddings answer: parsing a megabyte of numbers that are only
 * passed on would cost many times what the rest of the call does.
 *
 * @returns The members behind `data`, the model first; null if the text has another form, or is short.
 */
export function readEmbeddingsFrame(text: string): JsonObject | null {
  if (text.length < FRAME_CHARS_MIN || !HEAD.test(text.slice(0, HEAD_CHARS))) return null;
  const at = text.lastIndexOf(MODEL);
  if (at === -1 || text.length - at > TAIL_CHARS) return null;
  if (!BETWEEN.test(text.slice(Math.max(0, at - HEAD_CHARS), at))) return null;
  if (text.includes(ERROR)) return null;
  // What is an object from here to the end of the text ends with the brace of the outermost one.
  const behind = parseJsonObject(`{${text.slice(at)}`);
  return behind === null || "data" in behind ? null : behind;
}
