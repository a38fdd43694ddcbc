import { sql } from "kysely";
import { BUSY_TIMEOUT_MS } from "./sqlite.ts";
import type { Db } from "./tables.ts";

/**
 * Moves the write-ahead log into the database file and empties it, so that what was deleted is in neither.
 * It cannot run inside a transaction.
 *
 * @returns Whether it did: another process that reads or writes the database keeps the log as it is.
 */
export async function truncateLog(db: Db): Promise<boolean> {
  // Whoever reads may go on for minutes, and waiting would stop every call: trying again is the caller's.
  await sql`pragma busy_timeout = 0`.execute(db);
  try {
    const { rows } = await sql<{ busy: number }>`pragma wal_checkpoint(truncate)`.execute(db);
    return rows[0]?.busy === 0;
  } finally {
    await sql.raw(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`).execute(db);
  }
}
