import { isJsonObject, type Json } from "../std/json.ts";

/** What the content of an answer holds: its text, null if it has no text part, and its reasoning. */
export interface AnswerContent {
  readonly text: string | null;
  readonly reasoning: string | null;
}

/**
 * Takes apart content that came as a list of parts. Texts and thoughts are joined without a separator, for
 * citations cut a text anywhere; references and images, which OpenAI's wire has no place for, are left out.
 */
export function readAnswerContent(parts: readonly Json[]): AnswerContent {
  let text: string | null = null;
  let reasoning: string | null = null;
  for (const part of parts) {
    if (typeof part === "string") text = (text ?? "") + part;
    if (!isJsonObject(part)) continue;
    if (part["type"] === "text") text = (text ?? "") + textOf(part["text"]);
    if (part["type"] === "thinking") reasoning = (reasoning ?? "") + thoughtOf(part["thinking"]);
  }
  return { text, reasoning };
}

function thoughtOf(thinking: Json | undefined): string {
  if (!Array.isArray(thinking)) return textOf(thinking);
  return thinking.map((part) => (isJsonObject(part) ? textOf(part["text"]) : "")).join("");
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
