import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import {
  closeReader,
  closeSqlite,
  isDatabaseTrouble,
  openImmutable,
  openReader,
  openSqlite,
  type Sqlite,
} from "../../src/store/sqlite.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  path = join(folder, "test.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs with an open database of one table, then closes it. */
async function withDatabase(run: (sqlite: Sqlite) => Promise<void> | void): Promise<void> {
  const sqlite = openSqlite(path, "normal");
  sqlite.connection.run("create table notes (text text not null unique)");
  try {
    await run(sqlite);
  } finally {
    await closeSqlite(sqlite);
  }
}

const textsOf = ({ connection }: Sqlite): unknown[] =>
  connection.query("select text from notes order by text").values().flat();

const PRAGMAS: readonly [pragma: string, value: string | number][] = [
  ["journal_mode", "wal"],
  ["foreign_keys", 1],
  ["secure_delete", 1],
  ["busy_timeout", 50],
];

test.each(PRAGMAS)("%s is %p", async (pragma, value) => {
  await withDatabase(({ connection }) => {
    expect(connection.query(`pragma ${pragma}`).values()).toEqual([[value]]);
  });
});

test("commits survive a power cut unless the operator says otherwise", async () => {
  for (const [synchronous, level] of [
    [undefined, 2],
    ["full", 2],
    ["normal", 1],
  ] as const) {
    const sqlite = openSqlite(path, synchronous);
    expect(sqlite.connection.query("pragma synchronous").values()).toEqual([[level]]);
    await closeSqlite(sqlite);
  }
});

describe("a transaction", () => {
  test("takes the write lock at once, and gives it back", async () => {
    await withDatabase(async ({ db }) => {
      const other = new Database(path);
      await db.transaction().execute(async () => {
        expect(() => other.run("insert into notes values ('other')")).toThrow("locked");
      });
      other.run("insert into notes values ('other')");
      other.close();
    });
  });

  test("leaves nothing of what it did when it fails", async () => {
    await withDatabase(async (sqlite) => {
      const failed = sqlite.db.transaction().execute(async (tx) => {
        await sql`insert into notes values ('a')`.execute(tx);
        await sql`insert into notes values ('a')`.execute(tx);
      });
      await expect(failed).rejects.toThrow("UNIQUE constraint failed");
      expect(textsOf(sqlite)).toEqual([]);
      expect(sqlite.connection.inTransaction).toBe(false);
    });
  });

  test("undoes changes of the schema too", async () => {
    await withDatabase(async (sqlite) => {
      expect(sqlite.db.getExecutor().adapter.supportsTransactionalDdl).toBe(true);
      const failed = sqlite.db.transaction().execute(async (tx) => {
        await tx.schema.createTable("more").addColumn("id", "text").execute();
        await tx.schema.dropTable("notes").execute();
        throw new Error("no further");
      });
      await expect(failed).rejects.toThrow("no further");
      const tables = sqlite.connection.query("select name from sqlite_master where type = 'table'");
      expect(tables.values()).toEqual([["notes"]]);
    });
  });
});

test("a statement without one of its values is refused", async () => {
  await withDatabase(({ connection }) => {
    const statement = connection.query("insert into notes values ($text)");
    expect(() => statement.run({ other: "a" })).toThrow();
    expect(connection.query("select * from notes").all()).toEqual([]);
  });
});

test("a closed database is one file that has everything", async () => {
  await withDatabase(({ connection }) => {
    connection.run("insert into notes values ('kept')");
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  });
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(readFileSync(path).includes("kept")).toBe(true);
});

test("what was deleted is not in the file of a closed database", async () => {
  await withDatabase(({ connection }) => {
    connection.run("insert into notes values ('sealed-key-of-a-provider')");
    connection.run("delete from notes");
  });
  expect(readFileSync(path).includes("sealed-key-of-a-provider")).toBe(false);
});

test("a file that is no database is refused and left as it is", () => {
  writeFileSync(
    path,
    "something else entirely, and long enough to be read as a header\n".repeat(20),
  );
  const before = readFileSync(path);
  expect(() => openSqlite(path)).toThrow("not a database");
  expect(readFileSync(path)).toEqual(before);
});

test("a place where no file can be is refused", () => {
  expect(() => openSqlite(join(folder, "missing", "test.db"))).toThrow("unable to open");
  expect(() => openSqlite(folder)).toThrow("unable to open");
});

test.each([
  ["SQLITE_BUSY", true],
  ["SQLITE_FULL", true],
  ["SQLITE_IOERR_WRITE", true],
  ["SQLITE_READONLY", true],
  ["SQLITE_CONSTRAINT_UNIQUE", false],
  ["SQLITE_ERROR", false],
])("whether %s is trouble with the database: %p", (code, expected) => {
  expect(isDatabaseTrouble(Object.assign(new Error("it failed"), { code }))).toBe(expected);
});

test("an error of another kind is no trouble with the database", () => {
  expect(isDatabaseTrouble(new TypeError("SQLITE_BUSY"))).toBe(false);
});

test("a reader sees what is in the log, and cannot write", async () => {
  await withDatabase(async (writer) => {
    writer.connection.run("insert into notes values ('in the log')");
    const reader = openReader(path);
    expect(textsOf(reader)).toEqual(["in the log"]);
    expect(await sql<{ text: string }>`select text from notes`.execute(reader.db)).toMatchObject({
      rows: [{ text: "in the log" }],
    });
    expect(() => reader.connection.run("delete from notes")).toThrow("readonly");
    await closeReader(reader);
  });
});

test("a database that nobody writes is read without a file beside it, whatever its name", async () => {
  await withDatabase(({ connection }) => {
    connection.run("insert into notes values ('kept')");
  });
  const odd = join(folder, "100% odd?immutable=0#name.db");
  writeFileSync(odd, readFileSync(path));
  rmSync(path);
  const database = openImmutable(odd);
  expect(textsOf(database)).toEqual(["kept"]);
  expect(() => database.connection.run("delete from notes")).toThrow("readonly");
  expect(readdirSync(folder)).toHaveLength(1);
  await closeReader(database);
});

test("closing while somebody reads loses nothing", async () => {
  const reader = new Database(path, { create: true });
  await withDatabase(({ connection }) => {
    reader.run("begin");
    expect(reader.query("select count(*) as notes from notes").values()).toEqual([[0]]);
    connection.run("insert into notes values ('last')");
  });
  reader.run("rollback");
  reader.close();
  const again = openSqlite(path);
  expect(textsOf(again)).toEqual(["last"]);
  await closeSqlite(again);
});
