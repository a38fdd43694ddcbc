import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { databasePath } from "../../src/app.ts";
import { idOfSealingKey } from "../../src/std/aes_gcm.ts";
import { DataDirLockedError, openDataDir } from "../../src/store/data_dir.ts";
import { DiscardRefusedError, discardProviderKeys } from "../../src/store/discard_provider_keys.ts";
import { readMasterKeyFile } from "../../src/store/master_key_file.ts";
import { keptMasterKeyPath, nextMasterKeyPath } from "../../src/store/master_key_swap.ts";
import { NEW_ID, NEW_KEY, rowsByKey } from "../support/master_keys.ts";
import { NOW_MS } from "../support/store.ts";
import {
  openUsedDataDir,
  USED_ROWS,
  type UsedDataDir,
  withDatabase,
} from "../support/used_data_dir.ts";

let dir: UsedDataDir;
beforeEach(async () => {
  dir = await openUsedDataDir();
});
afterEach(() => dir[Symbol.dispose]());

const discard = () =>
  discardProviderKeys({
    dataDir: dir.path,
    databasePath: databasePath(dir.path),
    masterKeyPath: dir.masterKeyPath,
    nowMs: NOW_MS,
  });

const idInPlace = () => idOfSealingKey(readMasterKeyFile(dir.masterKeyPath) ?? new Uint8Array());

/** Everything but what is about provider keys. */
const others = (tables: readonly string[]) =>
  withDatabase(dir.path, async ({ connection }) =>
    tables.map((table) => connection.query(`select * from ${table}`).all()),
  );

const KEPT = ["organizations", "users", "memberships", "inference_keys", "org_settings"] as const;

test("where the master key is lost, provider keys are forgotten and everything else is kept", async () => {
  const before = await others(KEPT);
  const oldId = idInPlace();
  const sealed = await withDatabase(dir.path, async ({ connection }) =>
    connection.query("select sealed_key from provider_configs").values().flat().map(String),
  );
  rmSync(dir.masterKeyPath);
  const { keyId, providerConfigs } = await discard();
  expect(providerConfigs).toBe(USED_ROWS);
  expect(idInPlace()).toBe(keyId);
  await withDatabase(dir.path, async (sqlite, vault) => {
    expect([vault.keyId, vault.ring.previous]).toEqual([keyId, null]);
    expect(await rowsByKey(sqlite)).toEqual({ null: USED_ROWS });
    const { connection } = sqlite;
    expect(
      connection.query("select distinct sealed_key, enabled from provider_configs").all(),
    ).toEqual([{ sealed_key: "", enabled: 0 }]);
    expect(
      connection.query("select detail from audit_events where action = 'master_key.discard'").all(),
    ).toEqual([{ detail: JSON.stringify({ lost_key_ids: oldId, provider_configs: USED_ROWS }) }]);
  });
  expect(await others(KEPT)).toEqual(before);
  const file = readFileSync(databasePath(dir.path), "latin1");
  expect(sealed.filter((text) => file.includes(text))).toEqual([]);
});

test("another key in the place of the lost one is kept under its id", async () => {
  writeFileSync(dir.masterKeyPath, NEW_KEY.toHex());
  const { keyId } = await discard();
  expect(idInPlace()).toBe(keyId);
  expect(readMasterKeyFile(keptMasterKeyPath(dir.masterKeyPath, NEW_ID))).toEqual(NEW_KEY);
});

test("scribble in the place of the lost one is kept too", async () => {
  writeFileSync(dir.masterKeyPath, "scribble");
  const { keyId } = await discard();
  expect(idInPlace()).toBe(keyId);
  expect(readFileSync(`${dir.masterKeyPath}.unusable`, "utf8")).toBe("scribble");
});

test("a run that was killed before the files were swapped is run again, and forgets nothing more", async () => {
  rmSync(dir.masterKeyPath);
  const first = await discard();
  renameSync(dir.masterKeyPath, nextMasterKeyPath(dir.masterKeyPath));
  expect(await discard()).toEqual({ keyId: first.keyId, providerConfigs: 0 });
  expect(idInPlace()).toBe(first.keyId);
});

test("where the master key is there, nothing is forgotten", async () => {
  const id = idInPlace();
  await expect(discard()).rejects.toBeInstanceOf(DiscardRefusedError);
  expect(idInPlace()).toBe(id);
  await withDatabase(dir.path, async (sqlite) => {
    expect(await rowsByKey(sqlite)).toEqual({ [id]: USED_ROWS });
  });
});

test("while a process serves, nothing is forgotten", async () => {
  const id = idInPlace();
  const held = openDataDir(dir.path);
  writeFileSync(`${dir.masterKeyPath}.away`, readFileSync(dir.masterKeyPath), { mode: 0o600 });
  rmSync(dir.masterKeyPath);
  await expect(discard()).rejects.toBeInstanceOf(DataDirLockedError);
  held.close();
  renameSync(`${dir.masterKeyPath}.away`, dir.masterKeyPath);
  await withDatabase(dir.path, async (sqlite) => {
    expect(await rowsByKey(sqlite)).toEqual({ [id]: USED_ROWS });
  });
});
