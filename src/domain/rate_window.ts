/** The span in which a rate limit counts admissions. */
export const RATE_WINDOW_MS = 60_000;

const FIRST_CAPACITY = 8;

/**
 * The admissions of one key in the last minute: an exact sliding log, so that no 60-second span ever holds
 * more than the limit. Times are on the monotonic clock, in milliseconds; memory grows to the limit at most.
 */
export class RateWindow {
  #times = new Float64Array(FIRST_CAPACITY);
  #head = 0;
  #count = 0;

  /** Whether one more call may be admitted at this time. */
  hasRoom(nowMs: number, limit: number): boolean {
    this.#expire(nowMs);
    return this.#count < limit;
  }

  /** Notes an admission. Times must not decrease. */
  add(nowMs: number): void {
    if (this.#count === this.#times.length) this.#grow();
    this.#times[(this.#head + this.#count) % this.#times.length] = nowMs;
    this.#count += 1;
  }

  /** Takes back an admission that came to nothing. */
  takeBack(timeMs: number): void {
    const times = this.times();
    const index = times.lastIndexOf(timeMs);
    if (index === -1) return;
    times.splice(index, 1);
    this.#times.set(times);
    this.#head = 0;
    this.#count = times.length;
  }

  /** Returns how many more calls may be admitted at this time. */
  remaining(nowMs: number, limit: number): number {
    this.#expire(nowMs);
    return Math.max(0, limit - this.#count);
  }

  /** Returns in how many milliseconds a call can be admitted; 0 if now. */
  waitMs(nowMs: number, limit: number): number {
    this.#expire(nowMs);
    if (this.#count < limit) return 0;
    return this.#at(this.#count - limit) + RATE_WINDOW_MS - nowMs;
  }

  /** Returns in how many milliseconds the window will be empty. */
  resetMs(nowMs: number): number {
    this.#expire(nowMs);
    return this.#count === 0 ? 0 : this.#at(this.#count - 1) + RATE_WINDOW_MS - nowMs;
  }

  /** Whether nothing is left that a decision could depend on. */
  isEmpty(nowMs: number): boolean {
    this.#expire(nowMs);
    return this.#count === 0;
  }

  /** Returns the admissions still counted, oldest first. */
  times(): number[] {
    return Array.from({ length: this.#count }, (_, index) => this.#at(index));
  }

  #expire(nowMs: number): void {
    while (this.#count > 0 && nowMs - this.#at(0) >= RATE_WINDOW_MS) {
      this.#head = (this.#head + 1) % this.#times.length;
      this.#count -= 1;
    }
  }

  #grow(): void {
    const grown = new Float64Array(this.#times.length * 2);
    grown.set(this.times());
    this.#times = grown;
    this.#head = 0;
  }

  #at(index: number): number {
    return this.#times[(this.#head + index) % this.#times.length] ?? 0;
  }
}
