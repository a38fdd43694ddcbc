import { totalTokens, type Usage } from "../domain/usage.ts";
import type { JsonObject } from "../std/json.ts";

/**
 * Writes usage as OpenAI's `usage` object, with both detail objects. Cached tokens are part of
 * `prompt_tokens`, reasoning is part of `completion_tokens`, and the two always add up to `total_tokens`.
 */
export function toOpenAiUsage(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: totalTokens(usage),
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      audio_tokens: usage.inputAudioTokens,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: usage.outputAudioTokens,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
