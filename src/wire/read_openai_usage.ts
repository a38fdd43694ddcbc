import { NO_USAGE, type Usage } from "../domain/usage.ts";
import { isJsonObject, type JsonObject } from "../std/json.ts";

/**
 * Reads a `usage` object of the OpenAI wire, chat or embeddings.
 *
 * A part never exceeds its whole; what is no whole number of tokens counts as absent.
 *
 * @returns Null if it reports neither input nor output tokens.
 */
export function readOpenAiUsage(value: unknown): Usage | null {
  if (!isJsonObject(value)) return null;
  const input = tokens(value["prompt_tokens"]);
  const output = tokens(value["completion_tokens"]);
  if (input === null && output === null) return null;
  const inputTokens = input ?? 0;
  const outputTokens = output ?? 0;
  // Mistral has reported cached tokens under three names.
  const inputDetails = details(value, "prompt_tokens_details", "prompt_token_details");
  const outputDetails = details(value, "completion_tokens_details");
  const cached = tokens(value["num_cached_tokens"]) ?? tokens(inputDetails["cached_tokens"]) ?? 0;
  const cacheReadTokens = Math.min(cached, inputTokens);
  return {
    ...NO_USAGE,
    inputTokens,
    cacheReadTokens,
    cacheWriteTokens: part(inputDetails["cache_write_tokens"], inputTokens - cacheReadTokens),
    inputAudioTokens: part(inputDetails["audio_tokens"], inputTokens),
    outputTokens,
    reasoningTokens: part(outputDetails["reasoning_tokens"], outputTokens),
    outputAudioTokens: part(outputDetails["audio_tokens"], outputTokens),
  };
}

/** Whether the total that a client will read is the sum of its parts. */
export function addsUp(usage: JsonObject): boolean {
  const sum = (tokens(usage["prompt_tokens"]) ?? 0) + (tokens(usage["completion_tokens"]) ?? 0);
  return usage["total_tokens"] === sum;
}

function tokens(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function part(value: unknown, whole: number): number {
  return Math.min(tokens(value) ?? 0, whole);
}

function details(usage: JsonObject, ...names: string[]): JsonObject {
  for (const name of names) {
    const value = usage[name];
    if (isJsonObject(value)) return value;
  }
  return {};
}
