import type { Clock } from "./clock.ts";
import { Histogram } from "./metrics.ts";

/** How often it is looked how late a timer is, in milliseconds. */
const LOOK_MS = 1000;

/** How many looks `worstMs` remembers: a minute. */
const LOOKS_KEPT = 60;

const BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Measures how long work waits for its turn: by how much a timer of one second is late. */
export class LoopLag {
  readonly seconds = new Histogram(BOUNDS_S);
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | null = null;
  #sinceMs = 0;
  readonly #lastMs: number[] = [];
  #looks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins to measure; keeps no process alive. */
  start(): void {
    this.#sinceMs = this.#clock.monotonicMs();
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Notes how late this call of it is. */
  look(): void {
    const nowMs = this.#clock.monotonicMs();
    const lagMs = Math.max(0, nowMs - this.#sinceMs - LOOK_MS);
    this.seconds.observe(lagMs / 1000);
    this.#lastMs[this.#looks % LOOKS_KEPT] = lagMs;
    this.#looks += 1;
    this.#sinceMs = nowMs;
  }

  /** The longest lag of the last minute, in milliseconds; null if nothing was measured yet. */
  get worstMs(): number | null {
    return this.#lastMs.length === 0 ? null : Math.max(...this.#lastMs);
  }
}
