import type { Usage } from "./usage.ts";

/** How many times what is known of a call a provider may report: no estimate of text is so far off. */
const TIMES_MAX = 10;

/**
 * What may come on top of the input that was sent: a provider's own search or a file by id can fill the
 * largest context windows in use. To charge less than was used would be wrong as well.
 */
const UNSEEN_INPUT_TOKENS = 1_000_000;

/** What may come on top of the output that was held for: thoughts that nobody is shown. */
const UNSEEN_OUTPUT_TOKENS = 100_000;

/** What is known of a call without its provider's word, in tokens. */
export interface Evidence {
  /** Estimated of the request. */
  readonly inputTokens: number;
  /** The larger of what was held and what is estimated of the answer. */
  readonly outputTokens: number;
}

/**
 * Bounds what a provider reports by what the call can have used, so that one absurd number does not use up
 * a month's limits. A part never exceeds its whole.
 *
 * @returns The usage itself if it is plausible.
 */
export function plausibleUsage(reported: Usage, known: Evidence): Usage {
  const inputMax = known.inputTokens * TIMES_MAX + UNSEEN_INPUT_TOKENS;
  const outputMax = known.outputTokens * TIMES_MAX + UNSEEN_OUTPUT_TOKENS;
  if (reported.inputTokens <= inputMax && reported.outputTokens <= outputMax) return reported;
  const inputTokens = Math.min(reported.inputTokens, inputMax);
  const outputTokens = Math.min(reported.outputTokens, outputMax);
  const cacheReadTokens = Math.min(reported.cacheReadTokens, inputTokens);
  const cacheWriteTokens = Math.min(reported.cacheWriteTokens, inputTokens - cacheReadTokens);
  return {
    inputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite1hTokens: Math.min(reported.cacheWrite1hTokens, cacheWriteTokens),
    inputAudioTokens: Math.min(reported.inputAudioTokens, inputTokens),
    outputTokens,
    reasoningTokens: Math.min(reported.reasoningTokens, outputTokens),
    outputAudioTokens: Math.min(reported.outputAudioTokens, outputTokens),
  };
}
