import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databasePath } from "../../src/app.ts";
import { reportDatabase } from "../../src/store/database_report.ts";
import { SCHEMA } from "../../src/store/migrate.ts";
import { openTestApp } from "../support/app.ts";
import { postedCall } from "../support/usage.ts";
import { openUsedDataDir, type UsedDataDir, withDatabase } from "../support/used_data_dir.ts";

let dir: UsedDataDir;
beforeEach(async () => {
  dir = await openUsedDataDir();
});
afterEach(() => dir[Symbol.dispose]());

const report = () => reportDatabase(databasePath(dir.path));

test("a database that was closed is sound and has no log", async () => {
  expect(await report()).toMatchObject({
    logBytes: 0,
    damage: null,
    isChecked: true,
    schema: SCHEMA,
    holds: { count: 0, oldestMs: null },
  });
});

test("a database that is served from is looked at beside, and nothing changes", async () => {
  const app = await openTestApp({ dataDir: dir.path });
  const files = () =>
    readdirSync(dir.path)
      // The index of the log belongs to whoever reads; a socket holds nothing.
      .filter((name) => !/-shm$|\.sock$/.test(name))
      .map((name) => [name, Bun.SHA256.hash(readFileSync(join(dir.path, name)), "hex")]);
  await app.manage("GET", "/organizations");
  const before = files();
  expect(await report()).toMatchObject({ damage: null, schema: SCHEMA });
  expect(files()).toEqual(before);
  await app.close();
});

test("holds are counted from the oldest on, and the newest thing that was written down is known", async () => {
  const [first, second, newest] = [
    Date.UTC(2100, 0, 1),
    Date.UTC(2100, 0, 2),
    Date.UTC(2100, 0, 3),
  ];
  await withDatabase(dir.path, async ({ db }) => {
    const pending = { state: "pending", ending: null } as const;
    const calls = [
      { ...postedCall("org", second), ...pending },
      { ...postedCall("org", first), ...pending },
      postedCall("org", newest),
    ];
    await db.insertInto("calls").values(calls).execute();
  });
  expect(await report()).toMatchObject({
    holds: { count: 2, oldestMs: first },
    newestMs: newest,
  });
});

test("a database that is too large is not read through", async () => {
  const path = databasePath(dir.path);
  expect(await reportDatabase(path, 1)).toMatchObject({ isChecked: false, schema: SCHEMA });
});

test.each([
  ["is cut", (path: string) => truncateSync(path, 8192)],
  ["is another file", (path: string) => writeFileSync(path, "x".repeat(8192))],
])("a database that %s is damaged, and nothing more is asked of it", async (_, damage) => {
  damage(databasePath(dir.path));
  const { damage: found, ...others } = await report();
  expect(found).toMatch(/\S/);
  expect(others).toMatchObject({ schema: null, newestMs: null, holds: { count: 0 } });
});

test("a file that holds nothing yet has no schema", async () => {
  writeFileSync(databasePath(dir.path), "");
  expect(await report()).toMatchObject({ damage: null, schema: null, newestMs: null });
});
