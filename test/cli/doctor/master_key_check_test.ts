import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, renameSync, rmSync } from "node:fs";
import { checkMasterKey } from "../../../src/cli/doctor/master_key_check.ts";
import { parseConfig } from "../../../src/config.ts";
import { openUsedDataDir, type UsedDataDir } from "../../support/used_data_dir.ts";

let dir: UsedDataDir;
beforeEach(async () => {
  dir = await openUsedDataDir();
});
afterEach(() => dir[Symbol.dispose]());

const check = () => checkMasterKey(parseConfig(["--data-dir", dir.path], {}));

test("the key that the database needs is in order", async () => {
  expect(await check()).toMatchObject({ state: "ok", fix: null });
});

test("a key that is missing is named by its id, and by where it is if that is beside", async () => {
  const kept = `${dir.masterKeyPath}.next`;
  renameSync(dir.masterKeyPath, kept);
  const { state, detail, fix } = await check();
  expect(state).toBe("fail");
  expect(detail).toMatch(/the database needs [0-9a-f]{8}$/);
  expect(fix).toContain(kept);
  rmSync(kept);
  expect((await check()).fix).toContain("--master-key-file");
});

test("a key that others may read cannot be used", async () => {
  chmodSync(dir.masterKeyPath, 0o644);
  expect(await check()).toMatchObject({ state: "fail" });
});
