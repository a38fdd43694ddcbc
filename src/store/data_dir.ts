import { Database } from "bun:sqlite";
import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";

/** The data directory, held by this process alone until it is closed or ends. */
export interface DataDir {
  readonly path: string;
  close(): void;
}

/** Another process serves from the same directory. */
export class DataDirLockedError extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`Cannot open data directory "${path}": another process is using it`);
    this.path = path;
  }
}

/** The directory cannot be created or written. */
export class DataDirError extends Error {
  readonly path: string;

  constructor(path: string, why: string) {
    super(`Cannot write data directory "${path}": ${why}`);
    this.path = path;
  }
}

/** The file in the directory that is locked. */
export const LOCK_FILE = "inference-proxy.lock";

/**
 * Takes the data directory, creating it if it is missing.
 *
 * The lock is one that the operating system drops with the process, however it ends: two processes must
 * never decide on the same limits.
 *
 * @throws {DataDirError} If it cannot be written.
 * @throws {DataDirLockedError} If another process has it.
 */
export function openDataDir(path: string): DataDir {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new DataDirError(path, reason(error));
  }
  let lock: Database | null = null;
  try {
    lock = new Database(join(path, LOCK_FILE), { create: true });
    lock.run("begin exclusive");
  } catch (error) {
    lock?.close();
    if (isBusy(error)) throw new DataDirLockedError(path);
    throw new DataDirError(path, `its lock file cannot be used: ${reason(error)}`);
  }
  const held = lock;
  return { path, close: () => held.close() };
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EEXIST" || code === "ENOTDIR") return "it is no directory";
  if (code === "EACCES" || code === "EPERM") return "this user may not";
  return error instanceof Error ? error.message : String(error);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
}
