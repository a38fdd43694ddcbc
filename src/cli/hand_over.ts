import type { Writable } from "node:stream";

/** Waits until a slow reader has taken everything printed: what is left would be lost with the process. */
export async function handOver(output: Writable = process.stdout): Promise<void> {
  await new Promise<void>((resolve) => output.end(() => resolve()));
}
