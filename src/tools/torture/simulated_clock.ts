import type { Clock } from "../../std/clock.ts";

/**
 * Time as a simulation sees it: true time, a wall clock that people may set, and a monotonic clock that
 * begins anew with each process. Both count from arbitrary points; all times are in milliseconds.
 */
export class SimulatedClock implements Clock {
  #trueMs = 0;
  #wallOffsetMs: number;
  #bootMs = 0;

  constructor(wallMs: number) {
    this.#wallOffsetMs = wallMs;
  }

  /** Time as it passes, whatever any clock shows. */
  get trueMs(): number {
    return this.#trueMs;
  }

  wallMs(): number {
    return Math.floor(this.#trueMs + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    return this.#trueMs - this.#bootMs;
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.#trueMs += ms;
  }

  /** Sets the wall clock forward, or back if negative. */
  setWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Begins a new process: its monotonic clock knows nothing of the last one's. */
  boot(): void {
    this.#bootMs = this.#trueMs - 5;
  }
}
