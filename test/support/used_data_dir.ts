import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath } from "../../src/app.ts";
import { readMasterKeyFile } from "../../src/store/master_key_file.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";
import { Vault } from "../../src/store/vault.ts";
import { openTestApp } from "./app.ts";
import { saveKeys } from "./master_keys.ts";
import { NOW_MS } from "./store.ts";

/** A data directory that has served: with a master key, and provider keys that it seals. */
export interface UsedDataDir extends Disposable {
  readonly path: string;
  readonly masterKeyPath: string;
}

let template: Promise<string> | null = null;

/** Opens a copy of a data directory with 5 provider keys for each of 40 organizations. */
export async function openUsedDataDir(): Promise<UsedDataDir> {
  template ??= makeTemplate();
  const path = mkdtempSync(join(tmpdir(), "inference-proxy-used-"));
  cpSync(await template, path, { recursive: true });
  return {
    path,
    masterKeyPath: join(path, "master.key"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** How many provider keys there are. */
export const USED_ROWS = 200;

async function makeTemplate(): Promise<string> {
  const { app, dataDir } = await openTestApp();
  await app.close();
  await withDatabase(dataDir, async (sqlite, vault) => saveKeys(sqlite, vault, USED_ROWS / 5));
  process.on("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** Opens the database of a data directory that nobody serves from, with the master key in its place. */
export async function withDatabase<Result>(
  dataDir: string,
  use: (sqlite: Sqlite, vault: Vault) => Promise<Result>,
): Promise<Result> {
  const sqlite = openSqlite(databasePath(dataDir));
  try {
    const key = readMasterKeyFile(join(dataDir, "master.key"));
    if (key === null) throw new Error(`There is no master key in ${dataDir}`);
    return await use(sqlite, await Vault.open(sqlite.db, key, NOW_MS));
  } finally {
    await closeSqlite(sqlite);
  }
}
