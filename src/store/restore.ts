import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { actAs } from "../std/effective_user.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { BackupArchiveError, type Manifest, readBackupArchive } from "./backup_archive.ts";
import { LOCK_FILE, openDataDir } from "./data_dir.ts";
import { writePiece } from "./file_pieces.ts";
import { findDamage } from "./integrity.ts";
import { type Inventory, takeInventory } from "./inventory.ts";
import { syncFolder } from "./master_key_file.ts";
import { neededMasterKeyIds } from "./master_key_ring.ts";
import { appliedSchema, requireKnownSchema } from "./migrate.ts";
import { closeReader, openImmutable } from "./sqlite.ts";
import { openWorkFolder } from "./work_folder.ts";

export interface RestoreOptions {
  readonly dataDir: string;
  /** Where the database shall be, in the data directory. */
  readonly databasePath: string;
  /** Whether a database that is there already may be put aside. */
  readonly force: boolean;
  readonly nowMs: number;
}

/** What was restored. */
export interface Restored {
  readonly manifest: Manifest;
  readonly inventory: Inventory;
  /** The database needs one of these master keys; none if it has never met one. */
  readonly masterKeyIds: readonly string[];
  /** Where the database that was there before is now; null if there was none. */
  readonly keptAside: string | null;
}

/** The data directory has a database, and nobody said that it may be put aside. */
export class DatabaseExistsError extends Error {
  constructor(path: string) {
    super(`Cannot restore to "${path}": there is a database`);
  }
}

/**
 * Restores a backup into a data directory that no process serves from. Everything is verified before anything
 * in the directory changes; what is restored survives a power cut once this resolves. Root does it with the
 * rights of the directory's owner, who then owns the files.
 *
 * @throws {DataDirLockedError} If a process serves from the directory.
 * @throws {DatabaseExistsError} If there is a database in it.
 * @throws {BackupArchiveError} If it is no backup, or a damaged one.
 * @throws {TarError} If it is no whole archive.
 * @throws {NewerSchemaError} If a newer version wrote it.
 */
export async function restoreBackup(
  pieces: AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<Restored> {
  const { dataDir } = options;
  const isNew = !existsSync(dataDir);
  using _rights = isNew ? null : actAs(statSync(dataDir));
  const held = openDataDir(dataDir);
  try {
    return await restoreHeld(pieces, options);
  } finally {
    held.close();
    if (isNew && !existsSync(options.databasePath)) removeEmpty(dataDir);
  }
}

async function restoreHeld(
  pieces: AsyncIterable<Uint8Array>,
  { dataDir, databasePath, force, nowMs }: RestoreOptions,
): Promise<Restored> {
  if (!force && existingEndings(databasePath).length > 0)
    throw new DatabaseExistsError(databasePath);
  using work = openWorkFolder(dataDir);
  const unfinished = join(work.path, basename(databasePath));
  const manifest = await unpack(pieces, unfinished);
  const contents = await inspect(unfinished);
  const keptAside = putAside(databasePath, nowMs);
  renameSync(unfinished, databasePath);
  syncFolder(dataDir);
  return { manifest, ...contents, keptAside };
}

async function unpack(pieces: AsyncIterable<Uint8Array>, path: string): Promise<Manifest> {
  const file = openSync(path, "wx", 0o600);
  try {
    const manifest = await readBackupArchive(pieces, (piece) => writePiece(file, piece));
    fsyncSync(file);
    return manifest;
  } finally {
    closeSync(file);
  }
}

async function inspect(path: string): Promise<Pick<Restored, "inventory" | "masterKeyIds">> {
  const database = openImmutable(path);
  try {
    const damage = findDamage(database.connection, "full");
    if (damage !== null) throw new BackupArchiveError(`its database is damaged: ${damage}`);
    const schema = await appliedSchema(database.db);
    if (schema === null) throw new BackupArchiveError("its database is of another program");
    requireKnownSchema(schema);
    return {
      inventory: await takeInventory(database.db),
      masterKeyIds: await neededMasterKeyIds(database.db),
    };
  } finally {
    await closeReader(database);
  }
}

/** The index of the log is made anew from the log; beside another database it would lie. */
const LOG_INDEX = "-shm";

/** The endings of the files that make up a database. */
const ENDINGS = ["", "-wal", "-journal", LOG_INDEX] as const;

/** Returns the endings of the files that are there. */
function existingEndings(databasePath: string): string[] {
  return ENDINGS.filter((ending) => existsSync(databasePath + ending));
}

/** Renames a database with its log, so that it can be opened under its new name. Returns that name. */
function putAside(databasePath: string, nowMs: number): string | null {
  const endings = existingEndings(databasePath);
  if (endings.length === 0) return null;
  const aside = freeName(`${databasePath}.before-restore-${fileTime(nowMs)}`);
  for (const ending of endings) {
    if (ending === LOG_INDEX) rmSync(databasePath + ending);
    else renameSync(databasePath + ending, aside + ending);
  }
  return aside;
}

function freeName(path: string): string {
  for (let name = path, number = 2; ; name = `${path}-${number}`, number += 1) {
    if (!ENDINGS.some((ending) => existsSync(name + ending))) return name;
  }
}

/** Writes a time as it can stand in the name of a file: `20260601T000000Z`. */
function fileTime(timeMs: number): string {
  return formatRfc3339(timeMs).replaceAll(/[-:]/g, "");
}

/** Removes a directory that holds nothing but its lock. */
function removeEmpty(dataDir: string): void {
  rmSync(join(dataDir, LOCK_FILE), { force: true });
  if (readdirSync(dataDir).length === 0) rmdirSync(dataDir);
}
