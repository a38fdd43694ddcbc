import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databasePath } from "../../src/app.ts";
import { idOfSealingKey } from "../../src/std/aes_gcm.ts";
import { readMasterKeyFile } from "../../src/store/master_key_file.ts";
import { reportMasterKey } from "../../src/store/master_key_report.ts";
import { openTestApp } from "../support/app.ts";
import { NEW_ID, NEW_KEY, openVault } from "../support/master_keys.ts";
import { ACT } from "../support/store.ts";
import { openUsedDataDir, type UsedDataDir, withDatabase } from "../support/used_data_dir.ts";

let dir: UsedDataDir;
let id: string;
beforeEach(async () => {
  dir = await openUsedDataDir();
  id = idOfSealingKey(readMasterKeyFile(dir.masterKeyPath) ?? new Uint8Array());
});
afterEach(() => dir[Symbol.dispose]());

const report = () => reportMasterKey(databasePath(dir.path), dir.masterKeyPath);
const fine = { problem: null, foundAt: null, rotation: null };

test("a file that holds the key which the database needs is in order", async () => {
  const path = dir.masterKeyPath;
  expect(await report()).toEqual({ neededIds: [id], path, heldId: id, ...fine });
});

test("nothing changes on disk, whether a server runs or not", async () => {
  const files = () =>
    Object.fromEntries(
      readdirSync(dir.path)
        // The index of the log belongs to whoever reads.
        .filter((name) => !name.endsWith("-shm"))
        .map((name) => [name, Bun.SHA256.hash(readFileSync(join(dir.path, name)), "hex")]),
    );
  const before = files();
  await report();
  expect(files()).toEqual(before);
  const served = await openTestApp({ dataDir: dir.path });
  expect(await report()).toMatchObject({ neededIds: [id], heldId: id, ...fine });
  await served.app.close();
});

test("another key, no key and an open file are problems", async () => {
  const away = `${dir.masterKeyPath}.away`;
  renameSync(dir.masterKeyPath, away);
  expect(await report()).toMatchObject({
    heldId: null,
    problem: expect.stringContaining("no such"),
  });
  writeFileSync(dir.masterKeyPath, NEW_KEY.toHex(), { mode: 0o600 });
  expect(await report()).toMatchObject({
    heldId: NEW_ID,
    problem: expect.stringContaining(`needs master key ${id}`),
    foundAt: null,
  });
  rmSync(dir.masterKeyPath);
  renameSync(away, dir.masterKeyPath);
  chmodSync(dir.masterKeyPath, 0o644);
  expect(await report()).toMatchObject({ problem: expect.stringContaining("others may read it") });
});

test("a key that lies beside its place is found", async () => {
  const next = `${dir.masterKeyPath}.next`;
  renameSync(dir.masterKeyPath, next);
  expect(await report()).toMatchObject({ heldId: null, foundAt: next });
});

test("a rotation that is unfinished is told with either key", async () => {
  await withDatabase(dir.path, async (sqlite) => {
    const key = readMasterKeyFile(dir.masterKeyPath) ?? new Uint8Array();
    const { rotation } = await openVault(sqlite, key);
    await rotation.begin(NEW_KEY, ACT);
    await rotation.stop();
  });
  const rotation = { fromId: id, toId: NEW_ID };
  const neededIds = expect.arrayContaining([id, NEW_ID]);
  expect(await report()).toMatchObject({ neededIds, heldId: id, problem: null, rotation });
  writeFileSync(dir.masterKeyPath, NEW_KEY.toHex(), { mode: 0o600 });
  expect(await report()).toMatchObject({ heldId: NEW_ID, problem: null, rotation });
});

test("a database that has met no key takes any, or none", async () => {
  const path = join(dir.path, "empty.db");
  new Database(path, { create: true }).close();
  const empty = { neededIds: [], path: dir.masterKeyPath, ...fine };
  expect(await reportMasterKey(path, dir.masterKeyPath)).toEqual({ ...empty, heldId: id });
  rmSync(dir.masterKeyPath);
  expect(await reportMasterKey(path, dir.masterKeyPath)).toEqual({ ...empty, heldId: null });
});
