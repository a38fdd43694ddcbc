import type { Clock } from "../../src/std/clock.ts";

/** A clock that stands still until it is turned by hand. */
export interface ManualClock extends Clock {
  /** Turns the wall clock and the monotonic clock forward together. */
  advance(ms: number): void;
  /** Sets the wall clock forward, or back by a negative number: the monotonic clock knows nothing of it. */
  setWall(byMs: number): void;
}

/** Returns a clock that starts at `startMs` of the Unix epoch: noon UTC on 15 June 2026 if not given. */
export function manualClock(startMs = Date.UTC(2026, 5, 15, 12)): ManualClock {
  let passedMs = 0;
  let setMs = 0;
  return {
    wallMs: () => startMs + setMs + passedMs,
    monotonicMs: () => passedMs,
    advance: (ms) => {
      passedMs += ms;
    },
    setWall: (byMs) => {
      setMs += byMs;
    },
  };
}
