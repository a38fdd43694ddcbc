import { statSync } from "node:fs";
import { uuid7TimeMs } from "../std/uuid7.ts";
import { findDamage } from "./integrity.ts";
import { appliedSchema, hasTable } from "./migrate.ts";
import { closeReader, openToRead, type Sqlite } from "./sqlite.ts";
import type { Db } from "./tables.ts";

/** Reading a larger database through would take minutes, and its cache from whoever serves beside. */
const CHECKED_BYTES_MAX = 4 * 1024 * 1024 * 1024;

/** What can be said of a database from outside. */
export interface DatabaseReport {
  readonly bytes: number;
  /** The size of its log; 0 if it has none. */
  readonly logBytes: number;
  /** What is wrong with it; null if nothing is, or it is too large to be read through. */
  readonly damage: string | null;
  readonly isChecked: boolean;
  /** The newest migration that it has; null if it has none, or is damaged. */
  readonly schema: string | null;
  readonly holds: OpenHolds;
  /** The time of the last thing that was written down; null if nothing was, or it is damaged. */
  readonly newestMs: number | null;
}

/** Calls that are not settled. */
export interface OpenHolds {
  readonly count: number;
  /** When the oldest of them was admitted; null if there is none. */
  readonly oldestMs: number | null;
}

/**
 * Looks at a database, beside a process that may serve from it. Nothing is written.
 *
 * @throws {SQLiteError} If it cannot be read.
 */
export async function reportDatabase(
  path: string,
  bytesMax = CHECKED_BYTES_MAX,
): Promise<DatabaseReport> {
  const bytes = statSync(path).size;
  const sizes = { bytes, logBytes: logBytes(path), isChecked: bytes <= bytesMax };
  const sqlite = openToRead(path);
  try {
    const damage = sizes.isChecked ? findDamage(sqlite.connection, "quick") : null;
    return { ...sizes, damage, ...(await contents(sqlite, damage)) };
  } finally {
    await closeReader(sqlite);
  }
}

/** Counts the calls that are not settled. */
export async function openHolds(db: Db): Promise<OpenHolds> {
  const { count, oldest } = await db
    .selectFrom("calls")
    .select((row) => [row.fn.countAll<number>().as("count"), row.fn.min("id").as("oldest")])
    .where("state", "=", "pending")
    .executeTakeFirstOrThrow();
  return { count, oldestMs: timeOf(oldest) };
}

/** Returns the time of the last call or change; null if there was none. */
export async function newestMs(db: Db): Promise<number | null> {
  const { call, change } = await db
    .selectNoFrom((row) => [
      row
        .selectFrom("calls")
        .select((one) => one.fn.max("id").as("id"))
        .as("call"),
      row
        .selectFrom("audit_events")
        .select((one) => one.fn.max("id").as("id"))
        .as("change"),
    ])
    .executeTakeFirstOrThrow();
  const times = [timeOf(call), timeOf(change)].filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(...times);
}

const NOTHING = { schema: null, holds: { count: 0, oldestMs: null }, newestMs: null };

async function contents({ db }: Sqlite, damage: string | null) {
  if (damage !== null) return NOTHING;
  const schema = await appliedSchema(db);
  const isKnown = (await hasTable(db, "calls")) && (await hasTable(db, "audit_events"));
  if (!isKnown) return { ...NOTHING, schema };
  return { schema, holds: await openHolds(db), newestMs: await newestMs(db) };
}

function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/** Ids begin with the time at which they were made. */
function timeOf(id: string | null): number | null {
  return id === null ? null : uuid7TimeMs(id);
}
