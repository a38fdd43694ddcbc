import { constants, Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { CompiledQuery, type Driver, Kysely, SqliteAdapter } from "kysely";
import { BunSqliteDialect } from "kysely-bun-sqlite";
import { actAs } from "../std/effective_user.ts";
import type { Tables } from "./tables.ts";

/** How durable a commit is: `full` survives a power cut, `normal` only a killed process. */
export type Synchronous = "full" | "normal";

/** How long a statement waits for another process, in milliseconds: waiting blocks the event loop. */
export const BUSY_TIMEOUT_MS = 50;

/** The one connection: Kysely for management and reports, prepared statements for the ledger. */
export interface Sqlite {
  readonly db: Kysely<Tables>;
  readonly connection: Database;
}

/** Opens or creates the database file. @throws {SQLiteError} If it cannot, or the file is not a database. */
export function openSqlite(path: string, synchronous: Synchronous = "full"): Sqlite {
  const connection = new Database(path, { create: true, strict: true });
  connection.run("pragma journal_mode = wal");
  connection.run(`pragma synchronous = ${synchronous}`);
  connection.run("pragma foreign_keys = on");
  // A deleted provider key must leave the file, not only the table.
  connection.run("pragma secure_delete = on");
  connection.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return { db: kyselyOf(connection), connection };
}

/** How long a reader waits for whoever recovers the log after a crash, in milliseconds. */
const READER_BUSY_MS = 5_000;

/** Opens a database to read it beside the process that writes it. @throws {SQLiteError} If it cannot. */
export function openReader(path: string): Sqlite {
  const connection = new Database(path, { readonly: true, strict: true });
  connection.run(`pragma busy_timeout = ${READER_BUSY_MS}`);
  return { db: kyselyOf(connection), connection };
}

/**
 * Opens a database that nobody writes. Only the file itself is read, and none is made beside it: what is in
 * its log is not seen.
 *
 * @throws {SQLiteError} If it cannot.
 */
export function openImmutable(path: string): Sqlite {
  const { SQLITE_OPEN_READONLY, SQLITE_OPEN_URI } = constants;
  const uri = `${Bun.pathToFileURL(path).href}?immutable=1`;
  const connection = new Database(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  return { db: kyselyOf(connection), connection };
}

/**
 * Opens a database to look at it, whether a process writes it or not. Where no log is, none is made. Root makes none
 * that the owner of the database could not write.
 *
 * @throws {SQLiteError} If it cannot.
 */
export function openToRead(path: string): Sqlite {
  if (!existsSync(`${path}-wal`)) return openImmutable(path);
  using _rights = actAs(statSync(path));
  return openReader(path);
}

/** Closes a database that was only read. */
export async function closeReader({ db, connection }: Sqlite): Promise<void> {
  await db.destroy();
  connection.close();
}

/** Moves the log into the database file and closes both. */
export async function closeSqlite(sqlite: Sqlite): Promise<void> {
  sqlite.connection.run("pragma wal_checkpoint(truncate)");
  await sqlite.db.destroy();
  // Kysely leaves a connection open that it never had to use.
  sqlite.connection.close();
}

/** Faults of the disk, or of whoever else holds the database: the same statement may succeed later. */
const TROUBLE = /^SQLITE_(BUSY|CANTOPEN|FULL|IOERR|LOCKED|NOMEM|PROTOCOL|READONLY)/;

/** Whether an error says that the database cannot be used now, rather than what was wrong with its use. */
export function isDatabaseTrouble(error: unknown): boolean {
  return error instanceof Error && "code" in error && TROUBLE.test(String(error.code));
}

function kyselyOf(connection: Database): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new ProxyDialect({ database: connection }) });
}

/** The dialect, with transactions that take the write lock at once and roll back schema changes too. */
class ProxyDialect extends BunSqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    driver.beginTransaction = async (connection) => {
      await connection.executeQuery(CompiledQuery.raw("begin immediate"));
    };
    return driver;
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }
}

class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
