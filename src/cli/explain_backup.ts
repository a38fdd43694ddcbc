import { TarError } from "../std/tar.ts";
import { BackupTargetError, type TargetFault } from "../store/backup.ts";
import { BackupArchiveError } from "../store/backup_archive.ts";
import { DamagedDatabaseError } from "../store/integrity.ts";
import { DatabaseExistsError } from "../store/restore.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import type { Failure } from "./fatal.ts";

/** What to do about a damaged database. */
export const RESTORE_FIX =
  "restore a backup: inference-proxy restore FILE --data-dir DIR --force; it keeps this database aside";

const TARGET_FAULTS: Readonly<Record<TargetFault, readonly [exitCode: ExitCode, fix: string]>> = {
  exists: [EXIT.data, "name a new file, or replace this one: --force"],
  no_file: [EXIT.data, "name a file, or write to standard output: -"],
  no_folder: [EXIT.missing, "create the folder first"],
  not_writable: [EXIT.permission, "name a folder that this user may write"],
};

/** Explains what backing up, restoring or a damaged database threw; null for anything else. */
export function explainBackup(error: unknown): Failure | null {
  if (error instanceof DamagedDatabaseError) {
    const facts = [["why", error.damage] as const, ["fix", RESTORE_FIX] as const];
    return { what: error.message, facts, exitCode: EXIT.data };
  }
  if (error instanceof BackupTargetError) {
    const [exitCode, fix] = TARGET_FAULTS[error.fault];
    return { what: error.message, facts: [["fix", fix]], exitCode };
  }
  if (error instanceof DatabaseExistsError) {
    const fix = "put it aside, under another name in the same directory: --force";
    return { what: error.message, facts: [["fix", fix]], exitCode: EXIT.data };
  }
  if (error instanceof BackupArchiveError || error instanceof TarError) {
    const fix = "restore another backup; the data directory is as it was";
    return { what: error.message, facts: [["fix", fix]], exitCode: EXIT.data };
  }
  return null;
}
