import type { Kysely } from "kysely";
import { createMasterKeyFile, MasterKeyFileError, readMasterKeyFile } from "./master_key_file.ts";
import { hasTable } from "./migrate.ts";
import type { Tables } from "./tables.ts";
import { neededMasterKeyIds, Vault } from "./vault.ts";

/** Where the master key is, and whether it may be made there. */
export interface MasterKeyPlace {
  readonly path: string;
  readonly mayCreate: boolean;
}

export interface OpenedMasterKey {
  readonly vault: Vault;
  readonly created: boolean;
}

/** The database needs a master key, and none is there. */
export class MissingMasterKeyError extends Error {
  readonly path: string;
  readonly neededId: string;

  constructor(path: string, neededId: string) {
    super(`Cannot find master key "${path}": the database needs the one with id ${neededId}`);
    this.path = path;
    this.neededId = neededId;
  }
}

/**
 * Opens the vault with the master key, and makes a key for a database that has never had one.
 *
 * @param migrate Called once it is known that the key is the right one: with another, nothing may change.
 * @throws {MissingMasterKeyError} If the database needs a key that is not there.
 * @throws {WrongMasterKeyError} If it needs another one.
 * @throws {MasterKeyFileError} If the file cannot be used.
 */
export async function openMasterKey(
  db: Kysely<Tables>,
  { path, mayCreate }: MasterKeyPlace,
  nowMs: number,
  migrate: () => Promise<unknown>,
): Promise<OpenedMasterKey> {
  const neededIds = (await hasTable(db, "master_keys")) ? await neededMasterKeyIds(db) : [];
  const found = readMasterKeyFile(path, { guarded: !mayCreate });
  const [neededId] = neededIds;
  if (found === null && neededId !== undefined) throw new MissingMasterKeyError(path, neededId);
  if (found !== null && neededId !== undefined) {
    const vault = await Vault.open(db, found, nowMs);
    await migrate();
    return { vault, created: false };
  }
  await migrate();
  if (found === null && !mayCreate) {
    throw new MasterKeyFileError("read", path, "there is no such file");
  }
  const key = found ?? createMasterKeyFile(path);
  return { vault: await Vault.open(db, key, nowMs), created: found === null };
}
