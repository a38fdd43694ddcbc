import { numberOfDFGCompiles } from "bun:jsc";

/** What the engine says of any function while it cannot compile. */
const NO_COMPILER = 1_000_000;

/**
 * Whether the engine can compile to machine code, without which computing takes about ten times as long. It is
 * silently taken from a process that may not write and run the same memory.
 */
export function isJitActive(): boolean {
  // The engine knows nothing of a function that was never called.
  const called = (count: number) => count + 1;
  called(called(0));
  return numberOfDFGCompiles(called) !== NO_COMPILER;
}
