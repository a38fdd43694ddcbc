import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, lchownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkData, checkDatabase } from "../../../src/cli/doctor/data_checks.ts";
import type { DatabaseReport } from "../../../src/store/database_report.ts";
import { SCHEMA } from "../../../src/store/migrate.ts";
import { openUsedDataDir, type UsedDataDir } from "../../support/used_data_dir.ts";

let dir: UsedDataDir;
beforeEach(async () => {
  dir = await openUsedDataDir();
  chmodSync(dir.path, 0o700);
});
afterEach(() => dir[Symbol.dispose]());

async function states(path = dir.path): Promise<Record<string, string>> {
  const { checks } = await checkData(path);
  return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
}

const WELL = {
  "data directory": "ok",
  disk: "ok",
  database: "ok",
  schema: "ok",
  "database log": "ok",
};

test("a directory that has served is well", async () => {
  expect(await states()).toEqual(WELL);
});

test("a directory into which others may look is warned of", async () => {
  chmodSync(dir.path, 0o750);
  expect(await states()).toEqual({ ...WELL, "data directory": "warn" });
});

test("a directory that is not there, or holds no database, is what a first start finds", async () => {
  expect(await states(join(dir.path, "none"))).toEqual({ "data directory": "warn" });
  const empty = join(dir.path, "empty");
  mkdirSync(empty, { mode: 0o700 });
  expect(await states(empty)).toEqual({ "data directory": "ok", disk: "ok", database: "warn" });
});

test("a file in place of the directory is a failure", async () => {
  const file = join(dir.path, "file");
  writeFileSync(file, "");
  expect(await states(file)).toEqual({ "data directory": "fail" });
});

test("a database that is damaged says so and no more", async () => {
  writeFileSync(join(dir.path, "inference-proxy.db"), "x".repeat(8192));
  expect(await states()).toEqual({ "data directory": "ok", disk: "ok", database: "fail" });
});

test.skipIf(process.getuid?.() !== 0)("files of others are named, with the way out", async () => {
  const file = join(dir.path, "inference-proxy.db-wal");
  writeFileSync(file, "");
  lchownSync(file, 4242, 4242);
  const { checks } = await checkData(dir.path);
  rmSync(file);
  expect(checks[0]).toMatchObject({ name: "data directory", state: "fail" });
  expect(checks[0]?.detail).toContain("inference-proxy.db-wal");
  expect(checks[0]?.fix).toStartWith("chown -R root ");
});

const REPORT: DatabaseReport = {
  bytes: 4096,
  logBytes: 0,
  damage: null,
  isChecked: true,
  schema: SCHEMA,
  holds: { count: 0, oldestMs: null },
  newestMs: null,
};

const REPORTS: readonly (readonly [Partial<DatabaseReport>, string, string])[] = [
  [{ logBytes: 300 * 1024 * 1024 }, "database log", "warn"],
  [{ schema: "0001_create_organizations" }, "schema", "warn"],
  [{ schema: null }, "schema", "warn"],
  [{ schema: "9999_of_tomorrow" }, "schema", "fail"],
  [{ isChecked: false }, "database", "ok"],
];

test.each(REPORTS)("%p: %s is %s", (changes, name, state) => {
  const check = checkDatabase({ ...REPORT, ...changes }).find((one) => one.name === name);
  expect(check?.state as string).toBe(state);
});
