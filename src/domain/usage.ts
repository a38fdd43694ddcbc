/** Tokens of one call in the one form that every provider's report is brought into. All are whole numbers >= 0. */
export interface Usage {
  /** All input tokens, those read from and written to a cache included. */
  readonly inputTokens: number;
  /** The part of the input that a cache answered. */
  readonly cacheReadTokens: number;
  /** The part of the input written to a cache, whatever its lifetime. */
  readonly cacheWriteTokens: number;
  /** The part of `cacheWriteTokens` kept for an hour, which some providers price higher. */
  readonly cacheWrite1hTokens: number;
  /** The part of the input that was audio. */
  readonly inputAudioTokens: number;
  /** All output tokens, reasoning included. */
  readonly outputTokens: number;
  /** The part of the output spent on reasoning. */
  readonly reasoningTokens: number;
  /** The part of the output that was audio. */
  readonly outputAudioTokens: number;
}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  inputAudioTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  outputAudioTokens: 0,
};

/** Returns input plus output: what a token ceiling counts. It is never stored beside its parts. */
export function totalTokens(usage: Usage): number {
  return usage.inputTokens + usage.outputTokens;
}
