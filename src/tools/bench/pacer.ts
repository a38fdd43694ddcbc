/** Something that is written piece by piece. Returns false when it has written its last. */
export type Step = () => boolean;

/**
 * Takes the next step of each stream every so many milliseconds. Streams are spread over that time, as
 * those of real models are: their pieces come one by one, and not all in the same moment.
 */
export class Pacer {
  readonly #slots: Set<Step>[];
  readonly #timer;
  #next = 0;
  #ticks = 0;
  #startMs = performance.now();

  /** @param gapMs Between two steps of a stream, at least 1. */
  constructor(gapMs: number) {
    this.#slots = Array.from({ length: gapMs }, () => new Set<Step>());
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  add(step: Step): void {
    this.#slots[this.#next]?.add(step);
    this.#next = (this.#next + 1) % this.#slots.length;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const due = Math.floor(performance.now() - this.#startMs);
    if (due - this.#ticks > this.#slots.length) {
      // So late that streams would be sent in lumps: go on from here.
      this.#startMs += due - this.#ticks - 1;
      return this.#tick();
    }
    for (; this.#ticks < due; this.#ticks += 1) {
      const slot = this.#slots[this.#ticks % this.#slots.length] ?? new Set();
      for (const step of slot) if (!step()) slot.delete(step);
    }
  }
}
