import { fstatSync, writeSync } from "node:fs";
import type { LineOutput } from "../std/line_batch.ts";

/** The file descriptor of standard error. */
export const STDERR = 2;

/** How often the end of the process tries to write to a reader that stalls, and the pause before it tries again. */
const LAST_TRIES = 20;
const LAST_PAUSE_MS = 5;

/** Returns standard error as a place for lines that waits for no reader. */
export function stderrOutput(): LineOutput {
  const writer = Bun.file(STDERR).writer();
  return {
    send: (text) => {
      try {
        void writer.write(text);
        const flushed = writer.flush();
        return typeof flushed === "number" ? null : flushed;
      } catch {
        return null; // Nobody is left to read it, which must not end the process.
      }
    },
    sendNow: (text) => writeAll(Buffer.from(text)),
  };
}

/** Whether a file descriptor is a terminal. What is no device is not asked: the module that knows takes long to load. */
export function isTerminal(descriptor: number): boolean {
  if (!fstatSync(descriptor).isCharacterDevice()) return false;
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/**
 * Whether journald reads standard error.
 *
 * @param journalStream What systemd said it connected, as `device:inode`: it may have been redirected since.
 */
export function isJournal(journalStream: string | null): boolean {
  if (journalStream === null) return false;
  const { dev, ino } = fstatSync(STDERR);
  return journalStream === `${dev}:${ino}`;
}

function writeAll(bytes: Uint8Array): void {
  let at = 0;
  for (let tries = 0; at < bytes.length && tries < LAST_TRIES;) {
    try {
      at += writeSync(STDERR, bytes, at);
    } catch (error) {
      if (!isFull(error)) return; // Nobody is left to read it.
      tries += 1;
      Bun.sleepSync(LAST_PAUSE_MS);
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
