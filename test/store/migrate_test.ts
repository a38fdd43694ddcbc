import { afterEach, beforeEach, expect, test } from "bun:test";
import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS } from "../../migrations/registry.ts";
import {
  appliedSchema,
  hasTable,
  migrate,
  NewerSchemaError,
  requireKnownSchema,
  SCHEMA,
} from "../../src/store/migrate.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";

let sqlite: Sqlite;
beforeEach(() => {
  sqlite = openSqlite(":memory:");
});
afterEach(() => closeSqlite(sqlite));

const NAMES = Object.keys(MIGRATIONS);

/** Everything there is: the schema, and which migrations were applied when. */
function everything(): unknown[] {
  const { connection } = sqlite;
  const schema = connection.query("select type, name, sql from sqlite_master").values();
  const tables = schema.flatMap(([type, name]) => (type === "table" ? [String(name)] : []));
  return [schema, tables.map((name) => connection.query(`select * from "${name}"`).values())];
}

test("an empty database is brought to the newest schema, one migration after the other", async () => {
  expect(await migrate(sqlite.db)).toEqual(NAMES);
  expect(SCHEMA).toBe(NAMES.at(-1) ?? "");
  for (const table of ["organizations", "provider_configs", "calls", "audit_events"]) {
    expect(await hasTable(sqlite.db, table)).toBe(true);
  }
  expect(await hasTable(sqlite.db, "notes")).toBe(false);
});

test("a database of the newest schema is left as it is", async () => {
  await migrate(sqlite.db);
  const before = everything();
  expect(await migrate(sqlite.db)).toEqual([]);
  expect(everything()).toEqual(before);
});

test("a database of an older schema gets what it lacks, and keeps its rows", async () => {
  const { connection, db } = sqlite;
  const older = "0004_create_calls";
  const provider = { getMigrations: async () => ({ ...MIGRATIONS }) };
  await new Migrator({ db, provider }).migrateTo(older);
  connection.run("insert into key_months values ('key', 202606, 7)");
  expect(await hasTable(db, "audit_events")).toBe(false);
  expect(await migrate(db)).toEqual(NAMES.filter((name) => name > older));
  expect(await hasTable(db, "audit_events")).toBe(true);
  expect(connection.query("select * from key_months").values()).toEqual([["key", 202606, 7]]);
});

test("a database of a newer schema is refused, and nothing in it changes", async () => {
  await migrate(sqlite.db);
  const row = ["9000_create_something", new Date(0).toISOString()];
  sqlite.connection.run("insert into kysely_migration (name, timestamp) values (?, ?)", row);
  const before = everything();
  const error: unknown = await migrate(sqlite.db).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NewerSchemaError);
  expect(error).toMatchObject({
    found: "9000_create_something",
    known: SCHEMA,
    message: `Cannot open database: its schema is 9000_create_something, this version knows ${SCHEMA}`,
  });
  expect(everything()).toEqual(before);
});

test("a migration that fails leaves nothing of those before it", async () => {
  await sql`create table calls (id text)`.execute(sqlite.db);
  await expect(migrate(sqlite.db)).rejects.toThrow("already exists");
  expect(await hasTable(sqlite.db, "organizations")).toBe(false);
  expect(await hasTable(sqlite.db, "calls")).toBe(true);
  expect(sqlite.connection.inTransaction).toBe(false);
  sqlite.connection.run("drop table calls");
  expect(await migrate(sqlite.db)).toEqual(NAMES);
});

test("a database tells its schema, and what is known is not refused", async () => {
  expect(await appliedSchema(sqlite.db)).toBeNull();
  await migrate(sqlite.db);
  expect(await appliedSchema(sqlite.db)).toBe(SCHEMA);
  for (const known of [null, ...NAMES]) requireKnownSchema(known);
  expect(() => requireKnownSchema("9999_later")).toThrow(NewerSchemaError);
});
