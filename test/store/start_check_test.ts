import { expect, test } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DamagedDatabaseError } from "../../src/store/integrity.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { checkAtStart } from "../../src/store/start_check.ts";
import { openWorkFolder } from "../../src/store/work_folder.ts";
import { openTestDatabase } from "../support/database.ts";

/** Calls back with the path of a database whose process ended without closing it. */
async function withLeftBehind(use: (path: string) => void): Promise<void> {
  const database = await openTestDatabase();
  using folder = openWorkFolder(tmpdir());
  const path = join(folder.path, "inference-proxy.db");
  database.connection.run("create table more (word text)");
  for (const ending of ["", "-wal"]) copyFileSync(database.path + ending, path + ending);
  await database.close();
  use(path);
}

test("a database that was closed is not checked", async () => {
  const database = await openTestDatabase();
  expect(checkAtStart(database.connection, database.path, 0)).toBe("clean");
  await database.close();
});

test("one that was left open is checked, and is sound", () =>
  withLeftBehind((path) => {
    const { connection } = openSqlite(path);
    expect(checkAtStart(connection, path)).toBe("sound");
    connection.close();
  }));

test("one that is too large is not checked, which is said", () =>
  withLeftBehind((path) => {
    const { connection } = openSqlite(path);
    expect(checkAtStart(connection, path, 1000)).toBe("too_large");
    connection.close();
  }));

test("one that is damaged is refused, with what is wrong", () =>
  withLeftBehind((path) => {
    const bytes = readFileSync(path);
    bytes.fill(0, 5 * 4096, 6 * 4096);
    writeFileSync(path, bytes);
    const { connection } = openSqlite(path);
    const check = () => checkAtStart(connection, path);
    expect(check).toThrow(DamagedDatabaseError);
    expect(check).toThrow(expect.objectContaining({ path, damage: expect.stringMatching(/\S/) }));
    connection.close();
  }));
