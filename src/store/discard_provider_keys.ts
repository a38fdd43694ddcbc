import { statSync } from "node:fs";
import { actAs, type Owner } from "../std/effective_user.ts";
import { recordAuditEvent, systemAct } from "./audit.ts";
import { openDataDir } from "./data_dir.ts";
import { MasterKey } from "./master_key_crypto.ts";
import { MasterKeyFileError, readMasterKeyFile } from "./master_key_file.ts";
import {
  DamagedKeyRingError,
  neededMasterKeyIds,
  openKeyRing,
  WrongMasterKeyError,
} from "./master_key_ring.ts";
import { ensureNextMasterKey, swapMasterKeys } from "./master_key_swap.ts";
import { migrate } from "./migrate.ts";
import { closeSqlite, openSqlite, type Sqlite } from "./sqlite.ts";
import { truncateLog } from "./truncate_log.ts";

/** Provider keys are not discarded: the master key that opens them is there. */
export class DiscardRefusedError extends Error {
  readonly fix = "run it without --discard-provider-keys: then nothing is forgotten";

  constructor(path: string) {
    super(`Cannot discard provider keys: the master key in "${path}" opens them`);
  }
}

export interface DiscardOptions {
  readonly dataDir: string;
  readonly databasePath: string;
  readonly masterKeyPath: string;
  readonly nowMs: number;
}

/** What came of it. */
export interface Discarded {
  /** The new master key. */
  readonly keyId: string;
  /** How many provider configs have no provider key any more. */
  readonly providerConfigs: number;
}

/**
 * Gives a database whose master key is lost a new one, and forgets the provider keys that nothing opens any more:
 * their provider configs stay, disabled. Inference keys, usage and settings are as they were.
 *
 * @throws {DiscardRefusedError} If the master key is not lost; then nothing has changed.
 * @throws {DataDirLockedError} If a process serves from the directory.
 */
export async function discardProviderKeys(options: DiscardOptions): Promise<Discarded> {
  const { dataDir, masterKeyPath: path, nowMs } = options;
  // Two files may belong to two users: the key to root, the database to whom the service runs as.
  const owner = statSync(dataDir);
  const database = await asOwner(owner, () => openDatabase(options));
  try {
    const { db } = database.sqlite;
    await asOwner(owner, () => requireLost(db, path, nowMs));
    const next = await MasterKey.import(ensureNextMasterKey(path));
    const providerConfigs = await asOwner(owner, () => replaceLostKey(db, next, nowMs));
    swapMasterKeys(path);
    return { keyId: next.id, providerConfigs };
  } finally {
    await asOwner(owner, () => database.close());
  }
}

async function asOwner<Result>(owner: Owner, work: () => Promise<Result>): Promise<Result> {
  using _rights = actAs(owner);
  return await work();
}

async function openDatabase({ dataDir, databasePath }: DiscardOptions) {
  const held = openDataDir(dataDir);
  try {
    const sqlite = openSqlite(databasePath);
    const close = async () => {
      await closeSqlite(sqlite);
      held.close();
    };
    return { sqlite, close };
  } catch (error) {
    held.close();
    throw error;
  }
}

async function requireLost(db: Sqlite["db"], path: string, nowMs: number): Promise<void> {
  await migrate(db);
  let offered: Uint8Array<ArrayBuffer> | null = null;
  try {
    offered = readMasterKeyFile(path);
  } catch (error) {
    // A file that holds no key is as good as none.
    if (!(error instanceof MasterKeyFileError)) throw error;
  }
  if (offered !== null && (await opens(db, await MasterKey.import(offered), nowMs)))
    throw new DiscardRefusedError(path);
}

/** Returns how many provider configs lost their key. */
async function replaceLostKey(db: Sqlite["db"], next: MasterKey, nowMs: number): Promise<number> {
  // An earlier run may have come as far as this, and only the files are left to be swapped.
  if (await opens(db, next, nowMs)) return 0;
  const lostIds = await neededMasterKeyIds(db);
  const discarded = await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("provider_configs")
      .set({ sealed_key: "", master_key_id: null, enabled: 0, updated_at_ms: nowMs })
      .executeTakeFirstOrThrow();
    await tx.deleteFrom("master_keys").execute();
    await openKeyRing(tx, next, nowMs);
    await recordAuditEvent(tx, systemAct(nowMs), {
      organizationId: null,
      action: "master_key.discard",
      target: next.id,
      detail: { lost_key_ids: lostIds.join(), provider_configs: Number(numUpdatedRows) },
    });
    return Number(numUpdatedRows);
  });
  await truncateLog(db);
  return discarded;
}

/** Whether the database needs this key, and nothing is wrong with it. */
async function opens(db: Sqlite["db"], key: MasterKey, nowMs: number): Promise<boolean> {
  // A database that has met no key would take any.
  if ((await neededMasterKeyIds(db)).length === 0) return false;
  try {
    await openKeyRing(db, key, nowMs);
    return true;
  } catch (error) {
    if (error instanceof WrongMasterKeyError || error instanceof DamagedKeyRingError) return false;
    throw error;
  }
}
