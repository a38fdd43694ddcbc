import { closeSync, fsyncSync, lstatSync, openSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { formatRfc3339 } from "../std/rfc3339.ts";
import type { Write } from "../std/tar.ts";
import { type Manifest, writeBackupArchive } from "./backup_archive.ts";
import { copyDatabase } from "./copy_database.ts";
import { filePieces, withFile, writePiece } from "./file_pieces.ts";
import { DamagedDatabaseError, damageSaid, findDamage } from "./integrity.ts";
import { syncFolder } from "./master_key_file.ts";
import { neededMasterKeyIds } from "./master_key_ring.ts";
import { appliedSchema } from "./migrate.ts";
import { closeReader, openImmutable } from "./sqlite.ts";
import { openWorkFolder, type WorkFolder } from "./work_folder.ts";

export interface BackupOptions {
  readonly databasePath: string;
  readonly programVersion: string;
  readonly nowMs: number;
}

/** Looks at a file that may not be there. */
const IF_THERE = { throwIfNoEntry: false } as const;

/** Why a place for a backup cannot be used. */
export type TargetFault = "exists" | "no_file" | "no_folder" | "not_writable";

const TARGET_FAULTS: Readonly<Record<TargetFault, string>> = {
  exists: "it exists",
  no_file: "what is there is no file",
  no_folder: "its folder does not exist",
  not_writable: "its folder cannot be written",
};

/** The place for a backup cannot be used. */
export class BackupTargetError extends Error {
  readonly fault: TargetFault;

  constructor(path: string, fault: TargetFault) {
    super(`Cannot write backup "${path}": ${TARGET_FAULTS[fault]}`);
    this.fault = fault;
  }
}

/**
 * Writes a backup to a file, which is there whole or not at all, and survives a power cut once this resolves.
 *
 * @param force Whether a file that is there already may be replaced.
 * @throws {BackupTargetError} If the place cannot be used.
 * @throws {DamagedDatabaseError} If the database is damaged; then no backup is written.
 */
export async function backUpToFile(
  path: string,
  force: boolean,
  options: BackupOptions,
): Promise<Manifest> {
  requireFree(path, force);
  const folder = dirname(resolve(path));
  using work = openWorkFolderFor(path, folder);
  const unfinished = join(work.path, "archive.tar");
  const file = openSync(unfinished, "wx", 0o600);
  let manifest: Manifest;
  try {
    manifest = await backUp(work.path, options, (piece) => writePiece(file, piece));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  requireFree(path, force);
  renameSync(unfinished, path);
  syncFolder(folder);
  return manifest;
}

/**
 * Writes a backup piece by piece. Nothing is written before the copy of the database was found sound.
 *
 * @param folder Where the copy lies meanwhile: an empty folder that nobody else may enter.
 * @throws {DamagedDatabaseError} If the database is damaged.
 */
export async function backUp(
  folder: string,
  options: BackupOptions,
  write: Write,
): Promise<Manifest> {
  const { databasePath } = options;
  const copyPath = join(folder, basename(databasePath));
  copySound(databasePath, copyPath);
  const manifest = await describe(copyPath, options);
  await withFile(copyPath, (file) => writeBackupArchive(manifest, filePieces(file), write));
  return manifest;
}

function copySound(path: string, copyPath: string): void {
  try {
    copyDatabase(path, copyPath);
  } catch (error) {
    const damage = damageSaid(error);
    if (damage !== null) throw new DamagedDatabaseError(path, damage);
    throw error;
  }
}

async function describe(copyPath: string, options: BackupOptions): Promise<Manifest> {
  const { databasePath, programVersion, nowMs } = options;
  const copy = openImmutable(copyPath);
  try {
    const damage = findDamage(copy.connection, "full");
    if (damage !== null) throw new DamagedDatabaseError(databasePath, damage);
    const schema = await appliedSchema(copy.db);
    if (schema === null)
      throw new DamagedDatabaseError(databasePath, "it has no schema of this program");
    return {
      format: 1,
      created_at: formatRfc3339(nowMs),
      program_version: programVersion,
      schema,
      master_key_ids: await neededMasterKeyIds(copy.db),
      database: { bytes: statSync(copyPath).size, sha256: await sha256Of(copyPath) },
    };
  } finally {
    await closeReader(copy);
  }
}

function sha256Of(path: string): Promise<string> {
  return withFile(path, async (file) => {
    const hash = new Bun.CryptoHasher("sha256");
    for await (const piece of filePieces(file)) hash.update(piece);
    return hash.digest("hex");
  });
}

function openWorkFolderFor(path: string, folder: string): WorkFolder {
  try {
    return openWorkFolder(folder);
  } catch {
    throw new BackupTargetError(path, "not_writable");
  }
}

function requireFree(path: string, force: boolean): void {
  const found = lstatSync(path, IF_THERE);
  const folder = statSync(dirname(resolve(path)), IF_THERE);
  if (folder?.isDirectory() !== true) throw new BackupTargetError(path, "no_folder");
  if (found === undefined) return;
  // A device or a link in its place would be replaced itself, rather than written to.
  if (!found.isFile()) throw new BackupTargetError(path, "no_file");
  if (!force) throw new BackupTargetError(path, "exists");
}
