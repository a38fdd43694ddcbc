import type { Clock } from "../std/clock.ts";

/** How often what lives is looked at, in milliseconds. */
const BEAT_MS = 1000;

/** Something that must act when time has passed: a stream that was silent too long, say. */
export type Beat = (nowMs: number) => void;

/** One timer for all calls in flight, instead of several for each. Times are on the monotonic clock. */
export class Pulse {
  readonly #clock: Clock;
  readonly #beats = new Set<Beat>();
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls the function about once a second until it is removed. */
  add(beat: Beat): void {
    this.#beats.add(beat);
    this.#timer ??= setInterval(() => this.beat(), BEAT_MS);
  }

  remove(beat: Beat): void {
    this.#beats.delete(beat);
    if (this.#beats.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Looks at everything now. */
  beat(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const beat of this.#beats) beat(nowMs);
  }
}
