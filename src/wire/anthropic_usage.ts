import { NO_USAGE, type Usage } from "../domain/usage.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/** The counts of one answer as far as they are known. Input and cache counts stand beside each other here. */
export interface AnthropicUsage {
  readonly input: number | null;
  readonly output: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly cacheWrite5m: number | null;
  readonly cacheWrite1h: number | null;
  readonly thinking: number | null;
}

const UNKNOWN: AnthropicUsage = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite5m: null,
  cacheWrite1h: null,
  thinking: null,
};

/**
 * Reads a `usage` object over an earlier one. Counts in a stream are totals so far: each one given replaces
 * the one before, and null or absent ones change nothing.
 *
 * @param reported What the provider sent; anything but an object changes nothing.
 */
export function readAnthropicUsage(
  reported: Json | undefined,
  before: AnthropicUsage | null = null,
): AnthropicUsage | null {
  if (!isJsonObject(reported)) return before;
  const counts = overwrite(before ?? UNKNOWN, reported);
  // Several passes over one call are reported apart, and the sum of them is what is billed.
  const passes = reported["iterations"];
  const objects = Array.isArray(passes) ? passes.filter(isJsonObject) : [];
  if (objects.length === 0) return counts;
  const each = objects.map((pass) => overwrite(UNKNOWN, pass));
  return {
    input: sum(each, "input") ?? counts.input,
    output: sum(each, "output") ?? counts.output,
    cacheRead: sum(each, "cacheRead") ?? counts.cacheRead,
    cacheWrite: sum(each, "cacheWrite") ?? counts.cacheWrite,
    cacheWrite5m: sum(each, "cacheWrite5m") ?? counts.cacheWrite5m,
    cacheWrite1h: sum(each, "cacheWrite1h") ?? counts.cacheWrite1h,
    thinking: sum(each, "thinking") ?? counts.thinking,
  };
}

/**
 * Brings the counts into the one form, in which input includes what was read from and written to a cache.
 *
 * @returns Null if neither input nor output was reported.
 */
export function usageOf(counts: AnthropicUsage | null): Usage | null {
  if (counts === null || (counts.input === null && counts.output === null)) return null;
  const split = (counts.cacheWrite5m ?? 0) + (counts.cacheWrite1h ?? 0);
  const cacheWriteTokens = counts.cacheWrite ?? split;
  const cacheReadTokens = counts.cacheRead ?? 0;
  const outputTokens = counts.output ?? 0;
  return {
    ...NO_USAGE,
    inputTokens: (counts.input ?? 0) + cacheReadTokens + cacheWriteTokens,
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite1hTokens: Math.min(counts.cacheWrite1h ?? 0, cacheWriteTokens),
    outputTokens,
    reasoningTokens: Math.min(counts.thinking ?? 0, outputTokens),
  };
}

function overwrite(before: AnthropicUsage, reported: JsonObject): AnthropicUsage {
  const split = objectOf(reported["cache_creation"]);
  const details = objectOf(reported["output_tokens_details"]);
  return {
    input: tokens(reported["input_tokens"]) ?? before.input,
    output: tokens(reported["output_tokens"]) ?? before.output,
    cacheRead: tokens(reported["cache_read_input_tokens"]) ?? before.cacheRead,
    cacheWrite: tokens(reported["cache_creation_input_tokens"]) ?? before.cacheWrite,
    cacheWrite5m: tokens(split["ephemeral_5m_input_tokens"]) ?? before.cacheWrite5m,
    cacheWrite1h: tokens(split["ephemeral_1h_input_tokens"]) ?? before.cacheWrite1h,
    thinking: tokens(details["thinking_tokens"]) ?? before.thinking,
  };
}

function sum(passes: readonly AnthropicUsage[], name: keyof AnthropicUsage): number | null {
  const counts = passes.map((pass) => pass[name]).filter((count) => count !== null);
  return counts.length === 0 ? null : counts.reduce((total, count) => total + count, 0);
}

/** No call comes near this many tokens; sums of such counts stay exact. */
const TOKENS_MAX = 1e12;

function tokens(value: Json | undefined): number | null {
  const valid = typeof value === "number" && Number.isInteger(value) && value >= 0;
  return valid && value <= TOKENS_MAX ? value : null;
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
