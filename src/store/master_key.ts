import type { Kysely } from "kysely";
import { createMasterKeyFile, MasterKeyFileError, readMasterKeyFile } from "./master_key_file.ts";
import { neededMasterKeyIds, WrongMasterKeyError } from "./master_key_ring.ts";
import { findMasterKeyBeside } from "./master_key_swap.ts";
import { hasTable } from "./migrate.ts";
import type { Tables } from "./tables.ts";
import { Vault } from "./vault.ts";

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
  readonly neededIds: readonly string[];
  /** Where such a key lies beside; null if there is none. */
  readonly foundAt: string | null;

  constructor(path: string, neededIds: readonly string[], foundAt: string | null = null) {
    super(
      `Cannot find master key "${path}": the database needs the one with id ${neededIds.join(" or ")}`,
    );
    this.path = path;
    this.neededIds = neededIds;
    this.foundAt = foundAt;
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
  const isNew = neededIds.length === 0;
  if (found === null && !isNew)
    throw new MissingMasterKeyError(path, neededIds, findMasterKeyBeside(path, neededIds));
  if (found !== null && !isNew) {
    const vault = await Vault.open(db, found, nowMs).catch((error: unknown) => {
      throw error instanceof WrongMasterKeyError ? located(error, path) : error;
    });
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

function located({ neededIds, offeredId }: WrongMasterKeyError, path: string): WrongMasterKeyError {
  const foundAt = findMasterKeyBeside(path, neededIds);
  return new WrongMasterKeyError(neededIds, offeredId, { path, foundAt });
}
