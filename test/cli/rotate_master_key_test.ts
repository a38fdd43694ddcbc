import { describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { databasePath } from "../../src/app.ts";
import { ManagementClient, ManagementRefusal, type Send } from "../../src/cli/management_client.ts";
import { RotationInterruptedError, rotateMasterKey } from "../../src/cli/rotate_master_key.ts";
import { idOfSealingKey } from "../../src/std/aes_gcm.ts";
import { MissingMasterKeyError } from "../../src/store/master_key.ts";
import { readMasterKeyFile } from "../../src/store/master_key_file.ts";
import { WrongMasterKeyError } from "../../src/store/master_key_ring.ts";
import {
  ensureNextMasterKey,
  keptMasterKeyPath,
  nextMasterKeyPath,
  swapMasterKeys,
} from "../../src/store/master_key_swap.ts";
import { openTestApp, type TestApp } from "../support/app.ts";
import { eventually } from "../support/eventually.ts";
import { NEW_ID, NEW_KEY, rowsByKey, unreadableRows } from "../support/master_keys.ts";
import {
  openUsedDataDir,
  USED_ROWS,
  type UsedDataDir,
  withDatabase,
} from "../support/used_data_dir.ts";

const idAt = (path: string) => {
  const key = readMasterKeyFile(path);
  return key === null ? null : idOfSealingKey(key);
};

const serve = (dir: UsedDataDir) => openTestApp({ dataDir: dir.path });
const clientOf = ({ app }: TestApp) => new ManagementClient((request) => app.operate(request));
const noNote = () => {};

/** Checks that one key is left: in its place, in the database, and opening every row. The old one is kept. */
async function expectRotated(dir: UsedDataDir, oldId: string): Promise<void> {
  const newId = idAt(dir.masterKeyPath) ?? "";
  expect(newId).not.toBe(oldId);
  expect(existsSync(nextMasterKeyPath(dir.masterKeyPath))).toBe(false);
  expect(idAt(keptMasterKeyPath(dir.masterKeyPath, oldId))).toBe(oldId);
  await withDatabase(dir.path, async (sqlite, vault) => {
    expect([vault.keyId, vault.ring.previous]).toEqual([newId, null]);
    expect(await rowsByKey(sqlite)).toEqual({ [newId]: USED_ROWS });
    expect(await unreadableRows(sqlite, vault)).toEqual([]);
  });
}

test("a rotation replaces the key in the file and in the database, and keeps the old file", async () => {
  using dir = await openUsedDataDir();
  const oldId = idAt(dir.masterKeyPath) ?? "";
  const served = await serve(dir);
  const rotated = await rotateMasterKey(clientOf(served), dir.masterKeyPath, noNote);
  expect(rotated).toEqual({
    keyId: idAt(dir.masterKeyPath) ?? "",
    previousKeyId: oldId,
    keptAt: keptMasterKeyPath(dir.masterKeyPath, oldId),
  });
  await served.app.close();
  await expectRotated(dir, oldId);
});

test("it can be done again and again", async () => {
  using dir = await openUsedDataDir();
  const served = await serve(dir);
  for (let round = 0; round < 3; round += 1) {
    const { previousKeyId } = await rotateMasterKey(clientOf(served), dir.masterKeyPath, noNote);
    expect(idAt(keptMasterKeyPath(dir.masterKeyPath, previousKeyId))).toBe(previousKeyId);
  }
  await served.app.close();
  expect(readdirSync(dir.path).filter((name) => name.startsWith("master.key"))).toHaveLength(4);
});

/** A client whose requests fail from some moment on, as if the command had been killed there. */
function dyingClient(served: TestApp, requests: number): ManagementClient {
  let sent = 0;
  const send: Send = (request) => {
    sent += 1;
    return sent > requests ? Promise.reject(new Error("killed")) : served.app.operate(request);
  };
  return new ManagementClient(send);
}

describe("a rotation that was killed is run again and goes on", () => {
  for (const restarted of [false, true]) {
    const server = restarted ? "with a restarted server" : "with the same server";
    // State, begin, some looks, finish.
    for (const requests of [0, 1, 2, 3])
      test(`${server}, after ${requests} requests`, async () => {
        using dir = await openUsedDataDir();
        const oldId = idAt(dir.masterKeyPath) ?? "";
        let served = await serve(dir);
        const killed = rotateMasterKey(dyingClient(served, requests), dir.masterKeyPath, noNote);
        await expect(killed).rejects.toThrow("killed");
        if (restarted) served = await served.restart();
        await rotateMasterKey(clientOf(served), dir.masterKeyPath, noNote);
        await served.app.close();
        await expectRotated(dir, oldId);
      });

    for (const swapped of [false, true])
      test(`${server}, ${swapped ? "after the files were swapped" : "with the old file kept"}`, async () => {
        using dir = await openUsedDataDir();
        const oldId = idAt(dir.masterKeyPath) ?? "";
        let served = await serve(dir);
        const next = ensureNextMasterKey(dir.masterKeyPath);
        const body = { new_key: next.toBase64() };
        await clientOf(served).call("POST", "/operator/master-key/rotation", body);
        if (swapped) swapMasterKeys(dir.masterKeyPath);
        else copyFileSync(dir.masterKeyPath, keptMasterKeyPath(dir.masterKeyPath, oldId));
        if (restarted) served = await served.restart();
        // A server that starts with the new key may have finished it already; then there is nothing to resume.
        if (!(restarted && swapped))
          await rotateMasterKey(clientOf(served), dir.masterKeyPath, noNote);
        else await eventually(() => served.logged.join("").includes("rotation finished"));
        await served.app.close();
        await expectRotated(dir, oldId);
      });
  }

  test("with its new key gone, by going back to the old one first", async () => {
    using dir = await openUsedDataDir();
    const oldId = idAt(dir.masterKeyPath) ?? "";
    const served = await serve(dir);
    const next = ensureNextMasterKey(dir.masterKeyPath);
    const lostId = idOfSealingKey(next);
    const body = { new_key: next.toBase64() };
    await clientOf(served).call("POST", "/operator/master-key/rotation", body);
    rmSync(nextMasterKeyPath(dir.masterKeyPath));
    const notes: string[] = [];
    const rotated = await rotateMasterKey(clientOf(served), dir.masterKeyPath, (note) => {
      notes.push(note);
    });
    expect(rotated.previousKeyId).toBe(oldId);
    expect(rotated.keyId).not.toBe(lostId);
    expect(notes.join()).toContain("going back to the old one first");
    await served.app.close();
    await expectRotated(dir, oldId);
  });
});

test("where the server ends meanwhile, the command says that it can be run again", async () => {
  using dir = await openUsedDataDir();
  const served = await serve(dir);
  let sent = 0;
  const dying: Send = (request) => {
    sent += 1;
    const lost = Object.assign(new Error("closed"), { code: "ECONNRESET" });
    return sent > 2 ? Promise.reject(lost) : served.app.operate(request);
  };
  const rotating = rotateMasterKey(new ManagementClient(dying), dir.masterKeyPath, noNote);
  await expect(rotating).rejects.toBeInstanceOf(RotationInterruptedError);
  await served.app.close();
});

describe("a rotation is refused, and changes nothing,", () => {
  test("where the file holds another key than the database needs", async () => {
    using dir = await openUsedDataDir();
    const served = await serve(dir);
    writeFileSync(dir.masterKeyPath, NEW_KEY.toHex());
    const refused = rotateMasterKey(clientOf(served), dir.masterKeyPath, noNote);
    await expect(refused).rejects.toBeInstanceOf(WrongMasterKeyError);
    await expect(refused).rejects.toMatchObject({ offeredId: NEW_ID });
    expect(readFileSync(dir.masterKeyPath, "utf8")).toBe(NEW_KEY.toHex());
    expect(existsSync(nextMasterKeyPath(dir.masterKeyPath))).toBe(false);
    await served.app.close();
  });

  test("where there is no file, as when the unit loads the key from elsewhere", async () => {
    using dir = await openUsedDataDir();
    const served = await serve(dir);
    rmSync(dir.masterKeyPath);
    const refused = rotateMasterKey(clientOf(served), dir.masterKeyPath, noNote);
    await expect(refused).rejects.toBeInstanceOf(MissingMasterKeyError);
    await served.app.close();
  });

  test("where the proxy refuses, with its own words", async () => {
    using dir = await openUsedDataDir();
    const send = async () =>
      Response.json({ error: "Cannot answer: no", code: "overloaded" }, { status: 503 });
    const refused = rotateMasterKey(new ManagementClient(send), dir.masterKeyPath, noNote);
    await expect(refused).rejects.toBeInstanceOf(ManagementRefusal);
    expect(existsSync(databasePath(dir.path))).toBe(true);
  });
});
