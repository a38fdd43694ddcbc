import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { idOfSealingKey } from "../../src/std/aes_gcm.ts";
import { readMasterKeyFile } from "../../src/store/master_key_file.ts";
import { type Folder, openFolder, runBinary, startBinary } from "../support/binary.ts";
import { NEW_ID, NEW_KEY, openVault, THIRD_ID, THIRD_KEY } from "../support/master_keys.ts";
import { ACT } from "../support/store.ts";
import { openUsedDataDir, type UsedDataDir, withDatabase } from "../support/used_data_dir.ts";

// P3: with a wrong or missing master key the process refuses to start, changes nothing, and says which key it needs.

setDefaultTimeout(30_000);

let dir: UsedDataDir;
let neededId = "";
beforeAll(async () => {
  dir = await openUsedDataDir();
  neededId = idAt(dir.path);
});
afterAll(() => dir[Symbol.dispose]());

const idAt = (folder: string) =>
  idOfSealingKey(readMasterKeyFile(join(folder, "master.key")) ?? new Uint8Array());

function copyOf(used: UsedDataDir): Folder {
  const folder = openFolder();
  cpSync(used.path, folder.path, { recursive: true });
  return folder;
}

/** Every file of a data directory by name, and what it holds, but for an empty log and the index of a log. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter(
    (name) => !name.endsWith("-shm") && statSync(join(folder, name)).size > 0,
  );
  return Object.fromEntries(
    names.map((name) => [name, Bun.SHA256.hash(readFileSync(join(folder, name)), "hex")]),
  );
}

/** Runs a start that must be refused with exit code 78, say all of this, and change nothing. */
async function expectRefused(folder: string, ...says: string[]): Promise<void> {
  const before = contents(folder);
  const ended = await runBinary(["serve", "--listen", "127.0.0.1:0", "--data-dir", folder]);
  expect(ended.exitCode).toBe(78);
  expect(ended.stdout).toBe("");
  expect(ended.stderr).toStartWith("error: Cannot ");
  for (const text of says) expect(ended.stderr).toContain(text);
  expect(ended.stderr).toMatch(/^ {2}fix +\S/m);
  expect(ended.stderr).not.toMatch(/^ +at /m);
  expect(contents(folder)).toEqual(before);
}

test("P3: another key is refused, and both ids are named", async () => {
  using folder = copyOf(dir);
  const path = join(folder.path, "master.key");
  writeFileSync(path, NEW_KEY.toHex());
  await expectRefused(folder.path, neededId, NEW_ID, path, "--discard-provider-keys");
  // What was refused can be put right.
  rmSync(path);
  cpSync(dir.masterKeyPath, path);
  await (await startBinary(["--data-dir", folder.path])).stop();
});

test("P3: a missing key is refused, its id is named, and none is made in its place", async () => {
  using folder = copyOf(dir);
  const path = join(folder.path, "master.key");
  rmSync(path);
  await expectRefused(folder.path, neededId, path, "--master-key-file", "--discard-provider-keys");
  expect(existsSync(path)).toBe(false);
});

describe("P3: what is no key is refused:", () => {
  const BAD: [name: string, content: string | Uint8Array, says: string][] = [
    ["an empty file", "", "32 random bytes"],
    ["31 bytes", NEW_KEY.slice(1), "32 random bytes"],
    ["33 bytes", new Uint8Array([...NEW_KEY, 1]), "32 random bytes"],
    ["a passphrase", "correct horse battery staple 123", "32 random bytes"],
    ["zeros", "00".repeat(32), "weak"],
    ["bytes that count up", Uint8Array.from({ length: 32 }, (_, i) => i + 1).toHex(), "weak"],
  ];
  test.each(BAD)("P3: %s", async (_, content, says) => {
    using folder = copyOf(dir);
    writeFileSync(join(folder.path, "master.key"), content);
    await expectRefused(folder.path, says);
  });
});

test("P3: a key that others may read is refused", async () => {
  using folder = copyOf(dir);
  for (const mode of [0o640, 0o604]) {
    chmodSync(join(folder.path, "master.key"), mode);
    await expectRefused(folder.path, `mode ${mode.toString(8)}`);
  }
});

test("P3: while a rotation is unfinished a third key is refused, and the two that open it are named", async () => {
  using folder = copyOf(dir);
  await withDatabase(folder.path, async (sqlite) => {
    const key = readMasterKeyFile(join(folder.path, "master.key")) ?? new Uint8Array();
    const { rotation } = await openVault(sqlite, key);
    await rotation.begin(NEW_KEY, ACT);
    await rotation.stop();
  });
  writeFileSync(join(folder.path, "master.key"), THIRD_KEY.toHex());
  await expectRefused(folder.path, neededId, NEW_ID, THIRD_ID);
});
