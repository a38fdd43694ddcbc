import type { Clock } from "./clock.ts";

/** How many tokens there are at most, and how long each takes to come back. */
export interface BucketSize {
  readonly burst: number;
  readonly refillMs: number;
}

/** Tokens that are taken one by one and come back with time: it starts full. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #size: BucketSize;
  /** When it is full again if nothing more is taken: one number says how many tokens are there. */
  #fullAtMs = -Infinity;

  constructor(clock: Clock, size: BucketSize) {
    this.#clock = clock;
    this.#size = size;
  }

  /** Takes a token and returns 0, or returns in how many milliseconds there will be one. */
  take(): number {
    const { burst, refillMs } = this.#size;
    const nowMs = this.#clock.monotonicMs();
    const fullAtMs = Math.max(nowMs, this.#fullAtMs) + refillMs;
    const waitMs = fullAtMs - nowMs - burst * refillMs;
    if (waitMs > 0) return Math.ceil(waitMs);
    this.#fullAtMs = fullAtMs;
    return 0;
  }

  /** Puts back a token that turned out not to be needed. */
  putBack(): void {
    this.#fullAtMs -= this.#size.refillMs;
  }
}
