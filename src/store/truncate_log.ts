import { sql } from "kysely";
import type { Db } from "./tables.ts";

/**
 * Moves the write-ahead log into the database file and empties it, so that what was deleted is in neither.
 * It cannot run inside a transaction.
 */
export async function truncateLog(db: Db): Promise<void> {
  await sql`pragma wal_checkpoint(truncate)`.execute(db);
}
