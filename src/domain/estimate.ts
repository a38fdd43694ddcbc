import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

// Real tokenizers take 3.5 to 4.5 characters of English prose or code per token, fewer of digits and hex.
const HELD_CHARS_PER_TOKEN = 3;

/**
 * Added per UTF-8 byte beyond one per character. It brings a CJK character (two such bytes) to about 1.5
 * tokens, a Cyrillic letter (one) to about 0.9: what older tokenizers take, newer ones take less.
 */
const HELD_TOKENS_PER_EXTRA_BYTE = 0.6;

/** What a provider puts around messages, and one message at least. */
const HELD_TOKENS_BASE = 16;

/** Instructions that some providers add unseen when tools are given: up to about 350 tokens. */
const HELD_TOKENS_WITH_TOOLS = 400;

/** The most that a current model takes for one image of common sizes; most take 85 to 1,600. */
const IMAGE_TOKENS = 5_000;

// 10 to 12.5 tokens a second are taken. Of speech at 16 kbit/s, the least in use, a second is 2,700 characters.
const AUDIO_CHARS_PER_TOKEN = 200;

// A page of a document costs 1,500 to 4,500 tokens, and takes 7,000 characters or more when it holds plain text.
const FILE_CHARS_PER_TOKEN = 4;
const FILE_TOKENS_MIN = 5_000;
/** No document can use more than a context window; scanned ones are long and their size says little. */
const FILE_TOKENS_MAX = 500_000;
/** A file known by id or URL: its size is not known. */
const FILE_REFERENCE_TOKENS = 50_000;

/**
 * What an estimate of generated text counts per token: bytes of UTF-8, because tokenizers were trained on
 * them. A letter of Latin script is one byte and a CJK character three, which is about a token.
 */
const SETTLED_BYTES_PER_TOKEN = 3.5;

/** Output tokens held for a call that does not limit its output: few chat answers are longer. */
export const DEFAULT_OUTPUT_TOKENS = 4_096;

/** No model generates more per answer, so a larger limit in a request is not held in full. */
const OUTPUT_TOKENS_MAX = 400_000;

/** As many answers as OpenAI gives to one request at most. */
const ANSWERS_MAX = 128;

/**
 * Estimates the input tokens of a chat or embeddings request for its hold, on the high side: the JSON
 * around the text is counted like text. Images, audio and files count by what they hold, not by their size
 * in base64, and token arrays by their length.
 *
 * Of prose and code it is never below what real tokenizers count, and at most double for Latin script and
 * four and a half times for scripts that only newer tokenizers know well. Text that is dense in tokens, such
 * as base64 and hex, can take up to twice what is held.
 *
 * @param body The request.
 * @param text The same as JSON text. Only its sizes are read, so the cost is the same for any content.
 */
export function estimateInputTokens(body: JsonObject, text: string): number {
  const idCount = body["messages"] === undefined ? tokenIdCount(body["input"]) : null;
  if (idCount !== null) return HELD_TOKENS_BASE + idCount;
  const attached = attachments(body["messages"]);
  const extraBytes = Buffer.byteLength(text) - text.length;
  const chars = Math.max(0, text.length - attached.chars);
  const tools = Array.isArray(body["tools"]) && body["tools"].length > 0;
  const textTokens = chars / HELD_CHARS_PER_TOKEN + extraBytes * HELD_TOKENS_PER_EXTRA_BYTE;
  const added = HELD_TOKENS_BASE + (tools ? HELD_TOKENS_WITH_TOOLS : 0) + attached.tokens;
  return Math.ceil(textTokens) + added;
}

/**
 * Estimates the tokens of generated text for a call whose provider reported no usage; never 0.
 *
 * Of prose and code it is at least half and at most two and a half times what real tokenizers count; of
 * base64, hex and emoji it may be two fifths.
 *
 * @param bytes The text's length as UTF-8.
 */
export function estimateOutputTokens(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / SETTLED_BYTES_PER_TOKEN));
}

/**
 * Returns the output tokens to hold for a chat request: its own limit per answer, or the default, times
 * the number of answers it asks for. A value that no provider accepts counts as absent. Of two limits the
 * larger counts: some servers heed the older name only, and a small newer one would hide what they generate.
 */
export function heldOutputTokens(body: JsonObject, defaultTokens = DEFAULT_OUTPUT_TOKENS): number {
  const limit = Math.max(count(body["max_completion_tokens"]) ?? 0, count(body["max_tokens"]) ?? 0);
  const answers = Math.min(count(body["n"]) ?? 1, ANSWERS_MAX);
  return answers * Math.min(limit > 0 ? limit : defaultTokens, OUTPUT_TOKENS_MAX);
}

function count(value: Json | undefined): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/** Returns how many tokens an embeddings input of token ids has, or null if it is something else. */
function tokenIdCount(input: Json | undefined): number | null {
  if (!Array.isArray(input)) return null;
  if (typeof input[0] === "number") return input.length;
  if (!Array.isArray(input[0])) return null;
  return input.reduce<number>((sum, ids) => sum + (Array.isArray(ids) ? ids.length : 0), 0);
}

/** What the parts of messages stand for that are not text, and how much of the body they take up. */
interface Attachments {
  chars: number;
  tokens: number;
}

function attachments(messages: Json | undefined): Attachments {
  const sum: Attachments = { chars: 0, tokens: 0 };
  if (!Array.isArray(messages)) return sum;
  for (const message of messages) {
    if (!isJsonObject(message) || !Array.isArray(message["content"])) continue;
    for (const part of message["content"]) if (isJsonObject(part)) addPart(sum, part);
  }
  return sum;
}

function addPart(sum: Attachments, part: JsonObject): void {
  const { type } = part;
  if (type === "image_url") {
    sum.chars += dataOf(part["image_url"], "url").length;
    sum.tokens += IMAGE_TOKENS;
  } else if (type === "input_audio") {
    const chars = dataOf(part["input_audio"], "data").length;
    sum.chars += chars;
    sum.tokens += Math.ceil(chars / AUDIO_CHARS_PER_TOKEN);
  } else if (type === "file") {
    addFile(sum, dataOf(part["file"], "file_data"));
  } else if (type === "document_url") {
    const url = dataOf(part["document_url"], "url");
    addFile(sum, url.startsWith("data:") ? url : "");
  }
}

function addFile(sum: Attachments, data: string): void {
  sum.chars += data.length;
  sum.tokens += data === "" ? FILE_REFERENCE_TOKENS : fileTokens(data.length);
}

function fileTokens(chars: number): number {
  const bySize = Math.ceil(chars / FILE_CHARS_PER_TOKEN);
  return Math.min(Math.max(bySize, FILE_TOKENS_MIN), FILE_TOKENS_MAX);
}

/** The string in a member of an object, or the value itself where a provider takes a bare string. */
function dataOf(value: Json | undefined, name: string): string {
  const data = isJsonObject(value) ? value[name] : value;
  return typeof data === "string" ? data : "";
}
