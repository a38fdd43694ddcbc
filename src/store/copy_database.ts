import { existsSync, lstatSync, rmSync, statSync } from "node:fs";
import { actAs } from "../std/effective_user.ts";
import { openImmutable, openReader, type Sqlite } from "./sqlite.ts";

/**
 * Writes a consistent copy of a database to a new file, while another process may write the database. What
 * was deleted is not in the copy, not even on free pages.
 *
 * Nothing changes beside the database: where no log is, the file is read without opening one. Root reads with
 * the rights of the file's owner, so that a log made on the way is not root's.
 *
 * @throws {SQLiteError} If the database cannot be read or the copy cannot be written.
 */
export function copyDatabase(path: string, copyPath: string): void {
  if (!hasLog(path) && copyUnchanged(path, copyPath)) return;
  copyWith(openReader, path, copyPath);
}

/** Whether some process has the database open, or died with it open. */
function hasLog(path: string): boolean {
  return existsSync(`${path}-wal`) || existsSync(`${path}-journal`);
}

/** Copies a database that nobody has open. Returns whether nobody began to write it meanwhile. */
function copyUnchanged(path: string, copyPath: string): boolean {
  const before = stateOf(path);
  let failure: unknown = null;
  try {
    copyWith(openImmutable, path, copyPath);
  } catch (error) {
    failure = error;
  }
  if (stateOf(path) === before) {
    if (failure !== null) throw failure;
    return true;
  }
  rmSync(copyPath, { force: true });
  return false;
}

function copyWith(open: (path: string) => Sqlite, path: string, copyPath: string): void {
  const { connection } = openAsOwner(open, path);
  try {
    connection.prepare("vacuum into ?").run(copyPath);
  } finally {
    connection.close();
  }
}

/** The first reading opens the log and all else that is opened beside the file. */
function openAsOwner(open: (path: string) => Sqlite, path: string): Sqlite {
  using _rights = actAs(lstatSync(path));
  const sqlite = open(path);
  try {
    sqlite.connection.query("select count(*) from sqlite_schema").get();
    return sqlite;
  } catch (error) {
    sqlite.connection.close();
    throw error;
  }
}

/** Tells a file from itself after any change. */
function stateOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}
