import type { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { DamagedDatabaseError, findDamage } from "./integrity.ts";

/** Reading a larger database through would delay the start by more than a second or two. */
const CHECKED_BYTES_MAX = 512 * 1024 * 1024;

/** What a start found: `clean` if there was nothing to check, since the last process closed the database. */
export type StartCheck = "clean" | "sound" | "too_large";

/**
 * Checks an open database that the last process did not close: it may have ended with the power.
 *
 * @throws {DamagedDatabaseError} If it is damaged.
 */
export function checkAtStart(
  connection: Database,
  path: string,
  bytesMax = CHECKED_BYTES_MAX,
): StartCheck {
  // Closing empties the log. Opening leaves it as it is.
  if (sizeOf(`${path}-wal`) === 0) return "clean";
  if (sizeOf(path) > bytesMax) return "too_large";
  const damage = findDamage(connection, "quick");
  if (damage !== null) throw new DamagedDatabaseError(path, damage);
  return "sound";
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
