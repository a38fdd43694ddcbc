import type { Clock } from "./clock.ts";

/** How often the memory is looked at, in milliseconds: asking costs some microseconds. */
const LOOK_MS = 1000;

/** How often garbage is collected while there is too much, in milliseconds: nothing else runs meanwhile. */
const COLLECT_MS = 10_000;

/** What a watch looks at and does. */
export interface MemoryWatch {
  /** The resident memory that is too much, in bytes; 0 if none is. */
  readonly limitBytes: number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly residentBytes: () => number;
  /** Frees what nobody uses any more. */
  readonly collect: () => void;
  /** Told when there begins to be too much memory, and when it ends. */
  readonly onChange: (tooMuch: boolean, residentBytes: number) => void;
}

/**
 * Returns what says whether this process uses too much memory. It looks when asked, at most once a second, and
 * collects garbage before it says yes: memory that nobody uses is given back only then.
 */
export function watchMemory(watch: MemoryWatch): () => boolean {
  const { limitBytes, clock, residentBytes, collect, onChange } = watch;
  let lookMs = Number.NEGATIVE_INFINITY;
  let collectMs = Number.NEGATIVE_INFINITY;
  let tooMuch = false;

  return () => {
    if (limitBytes === 0) return false;
    const nowMs = clock.monotonicMs();
    if (nowMs - lookMs < LOOK_MS) return tooMuch;
    lookMs = nowMs;
    let bytes = residentBytes();
    if (bytes > limitBytes && nowMs - collectMs >= COLLECT_MS) {
      collectMs = nowMs;
      collect();
      bytes = residentBytes();
    }
    if (tooMuch !== bytes > limitBytes) onChange(!tooMuch, bytes);
    tooMuch = bytes > limitBytes;
    return tooMuch;
  };
}
