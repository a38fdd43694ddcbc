import { idOfSealingKey } from "../std/aes_gcm.ts";
import { MasterKey } from "./master_key_crypto.ts";
import { MasterKeyFileError, readMasterKeyFile } from "./master_key_file.ts";
import {
  DamagedKeyRingError,
  neededMasterKeyIds,
  openKeyRing,
  WrongMasterKeyError,
} from "./master_key_ring.ts";
import { findMasterKeyBeside } from "./master_key_swap.ts";
import { hasTable } from "./migrate.ts";
import { closeReader, openToRead, type Sqlite } from "./sqlite.ts";

/** What a database and a file say about the master key. */
export interface MasterKeyReport {
  /** The master keys of which the database needs one; none if it has never met one. */
  readonly neededIds: readonly string[];
  /** Where the key is looked for. */
  readonly path: string;
  /** The key in the file; null if there is none. */
  readonly heldId: string | null;
  /** Why the key in the file cannot be used; null if nothing is wrong with it. */
  readonly problem: string | null;
  /** Where beside the file a key lies that the database needs, if the file holds none; null if nowhere. */
  readonly foundAt: string | null;
  /** The rotation that is unfinished; null if there is none, or if the file does not open the database. */
  readonly rotation: { readonly fromId: string; readonly toId: string } | null;
}

/**
 * Compares the master key that a database needs with the one in a file, beside a process that may serve. Nothing
 * is written.
 *
 * @throws {SQLiteError} If the database cannot be read.
 */
export async function reportMasterKey(
  databasePath: string,
  path: string,
): Promise<MasterKeyReport> {
  const sqlite = openToRead(databasePath);
  try {
    const { db } = sqlite;
    const neededIds = (await hasTable(db, "master_keys")) ? await neededMasterKeyIds(db) : [];
    const found = await judge(sqlite, path, neededIds);
    const foundAt = found.problem === null ? null : findMasterKeyBeside(path, neededIds);
    return { neededIds, path, ...found, foundAt };
  } finally {
    await closeReader(sqlite);
  }
}

type Judgement = Pick<MasterKeyReport, "heldId" | "problem" | "rotation">;

async function judge(
  { db }: Sqlite,
  path: string,
  neededIds: readonly string[],
): Promise<Judgement> {
  const none: Judgement = { heldId: null, problem: null, rotation: null };
  let key: Uint8Array<ArrayBuffer> | null;
  try {
    key = readMasterKeyFile(path);
  } catch (error) {
    if (error instanceof MasterKeyFileError) return { ...none, problem: error.message };
    throw error;
  }
  if (key === null) return neededIds.length === 0 ? none : { ...none, problem: MISSING };
  const heldId = idOfSealingKey(key);
  if (neededIds.length === 0) return { ...none, heldId };
  try {
    const { primary, previous } = await openKeyRing(db, await MasterKey.import(key), 0);
    const rotation = previous === null ? null : { fromId: previous.id, toId: primary.id };
    return { heldId, problem: null, rotation };
  } catch (error) {
    if (error instanceof WrongMasterKeyError || error instanceof DamagedKeyRingError)
      return { ...none, heldId, problem: error.message };
    throw error;
  }
}

const MISSING = "Cannot find master key: there is no such file";
