import { Violation } from "./violation.ts";

/** Waits until something is so. @throws {Violation} If it is not after so many milliseconds. */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<void> {
  const startMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startMs > limitMs)
      throw new Violation(`After ${limitMs / 1000} s it is not so: ${what}`);
    await Bun.sleep(20);
  }
}
