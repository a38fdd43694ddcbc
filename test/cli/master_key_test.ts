import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { idOfSealingKey } from "../../src/std/aes_gcm.ts";
import { readMasterKeyFile } from "../../src/store/master_key_file.ts";
import { NEW_ID, NEW_KEY, rowsByKey, unreadableRows } from "../support/master_keys.ts";
import {
  openUsedDataDir,
  USED_ROWS,
  type UsedDataDir,
  withDatabase,
} from "../support/used_data_dir.ts";
import { PROGRAM_TIMEOUT_MS, runProgram, serveProgram } from "./program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

const idAt = (path: string) => idOfSealingKey(readMasterKeyFile(path) ?? new Uint8Array());

const run = (word: "rotate" | "verify", dir: UsedDataDir, ...flags: string[]) =>
  runProgram(["master-key", word, "--data-dir", dir.path, ...flags]);

/** Checks that the key in its place opens every row. */
async function expectReadable(dir: UsedDataDir): Promise<void> {
  await withDatabase(dir.path, async (sqlite, vault) => {
    expect(await rowsByKey(sqlite)).toEqual({ [idAt(dir.masterKeyPath)]: USED_ROWS });
    expect(await unreadableRows(sqlite, vault)).toEqual([]);
  });
}

test("without a server the key is replaced in the command's own process", async () => {
  using dir = await openUsedDataDir();
  const oldId = idAt(dir.masterKeyPath);
  const ended = await run("rotate", dir, "--json");
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(ended.stdout)).toEqual({
    key_id: idAt(dir.masterKeyPath),
    previous_key_id: oldId,
    file: dir.masterKeyPath,
    kept_at: `${dir.masterKeyPath}.${oldId}`,
  });
  await expectReadable(dir);
});

test("with a server the key is replaced through it, while it serves", async () => {
  using dir = await openUsedDataDir();
  const oldId = idAt(dir.masterKeyPath);
  const server = await serveProgram(["--data-dir", dir.path]);
  const ended = await run("rotate", dir);
  expect(ended).toMatchObject({ exitCode: 0 });
  const newId = idAt(dir.masterKeyPath);
  expect(ended.stdout).toContain(
    `Replaced master key ${oldId} by ${newId}, in ${dir.masterKeyPath}`,
  );
  expect((await run("verify", dir)).exitCode).toBe(0);
  await server.printed("master key rotation finished");
  server.signal("SIGTERM");
  expect((await server.ended).exitCode).toBe(0);
  await expectReadable(dir);
});

test("verify says that key and database match, and whether a rotation is unfinished", async () => {
  using dir = await openUsedDataDir();
  const id = idAt(dir.masterKeyPath);
  const fine = await run("verify", dir);
  expect(fine.exitCode).toBe(0);
  expect(fine.stdout).toMatch(new RegExp(`Database needs +${id}\n`));
  expect(fine.stdout).toContain("they match");
  expect(JSON.parse((await run("verify", dir, "--json")).stdout)).toEqual({
    matches: true,
    needed_key_ids: [id],
    file: dir.masterKeyPath,
    file_key_id: id,
    problem: null,
    found_at: null,
    rotation: null,
  });
});

test("a wrong key fails verify and rotate with 78, and both name the ids", async () => {
  using dir = await openUsedDataDir();
  const id = idAt(dir.masterKeyPath);
  writeFileSync(dir.masterKeyPath, NEW_KEY.toHex());
  const verified = await run("verify", dir);
  expect(verified.exitCode).toBe(78);
  expect(verified.stdout).toMatch(new RegExp(`File holds +${NEW_ID}\n`));
  expect(verified.stdout).toContain("they do not match");
  const rotated = await run("rotate", dir);
  expect(rotated.exitCode).toBe(78);
  for (const text of [id, NEW_ID, "--discard-provider-keys"])
    expect(rotated.stderr).toContain(text);
  expect(existsSync(`${dir.masterKeyPath}.next`)).toBe(false);
});

test("a key that a killed run left beside its place is put there, and replaced", async () => {
  using dir = await openUsedDataDir();
  renameSync(dir.masterKeyPath, `${dir.masterKeyPath}.next`);
  writeFileSync(dir.masterKeyPath, NEW_KEY.toHex(), { mode: 0o600 });
  const before = await run("verify", dir);
  expect([before.exitCode, before.stdout]).toEqual([78, expect.stringContaining(".next")]);
  expect((await run("rotate", dir)).exitCode).toBe(0);
  await expectReadable(dir);
});

test("a lost master key: provider keys are forgotten, if it is confirmed, and the proxy starts again", async () => {
  using dir = await openUsedDataDir();
  rmSync(dir.masterKeyPath);
  const unasked = await run("rotate", dir, "--discard-provider-keys");
  expect([unasked.exitCode, unasked.stderr]).toEqual([64, expect.stringContaining("--yes")]);
  const discarded = await run("rotate", dir, "--discard-provider-keys", "--yes", "--json");
  expect(discarded.exitCode).toBe(0);
  expect(JSON.parse(discarded.stdout)).toEqual({
    key_id: idAt(dir.masterKeyPath),
    file: dir.masterKeyPath,
    provider_configs_without_key: USED_ROWS,
  });
  const server = await serveProgram(["--data-dir", dir.path]);
  server.signal("SIGTERM");
  expect((await server.ended).exitCode).toBe(0);
});

test("nothing is forgotten while the key is there, or while a server runs", async () => {
  using dir = await openUsedDataDir();
  const refused = await run("rotate", dir, "--discard-provider-keys", "--yes");
  expect([refused.exitCode, refused.stderr]).toEqual([78, expect.stringContaining("opens them")]);
  const server = await serveProgram(["--data-dir", dir.path]);
  const locked = await run("rotate", dir, "--discard-provider-keys", "--yes");
  expect([locked.exitCode, locked.stderr]).toEqual([75, expect.stringContaining("process")]);
  server.signal("SIGTERM");
  await server.ended;
  await expectReadable(dir);
});

test("where there is no database there is nothing to do", async () => {
  using dir = await openUsedDataDir();
  rmSync(`${dir.path}/inference-proxy.db`);
  for (const word of ["rotate", "verify"] as const) {
    const ended = await run(word, dir);
    expect(ended.exitCode).not.toBe(0);
    expect(ended.stderr).toContain("there is none in");
  }
});
