/** Where time comes from. Everything that needs it takes a clock, so tests can turn it by hand. */
export interface Clock {
  /** Returns the wall-clock time in milliseconds since the Unix epoch. */
  wallMs(): number;
  /** Returns milliseconds on a clock that never jumps; only differences mean anything. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
