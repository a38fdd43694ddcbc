import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { damageSaid, findDamage } from "../../src/store/integrity.ts";

/** Opens a database of one table with an index, on several pages, as bytes that a test may change. */
function databaseBytes(): Uint8Array {
  const database = new Database(":memory:");
  database.run("create table words (id integer primary key, word text)");
  database.run("create index words_by_word on words (word)");
  const insert = database.prepare("insert into words (word) values (?)");
  for (let index = 0; index < 2000; index += 1) insert.run(`word ${index}`);
  return database.serialize();
}

test("a sound database has no damage", () => {
  const database = Database.deserialize(databaseBytes());
  expect(findDamage(database, "quick")).toBeNull();
  expect(findDamage(database, "full")).toBeNull();
});

test("a page of zeros is found by both checks", () => {
  const bytes = databaseBytes();
  bytes.fill(0, 3 * 4096, 4 * 4096);
  expect(findDamage(Database.deserialize(bytes), "quick")).toMatch(/\S/);
  expect(findDamage(Database.deserialize(bytes), "full")).toMatch(/\S/);
});

test("an index that says another word than its table is found by the full check", () => {
  const bytes = databaseBytes();
  bytes.set(new TextEncoder().encode("ward"), Buffer.from(bytes.buffer).indexOf("word 1777"));
  const database = Database.deserialize(bytes);
  expect(findDamage(database, "quick")).toBeNull();
  expect(findDamage(database, "full")).toContain("words_by_word");
});

test("a row that refers to none is found", () => {
  const database = new Database(":memory:");
  database.run("create table parents (id integer primary key)");
  database.run("create table children (parent integer references parents (id))");
  database.run("pragma foreign_keys = off");
  database.run("insert into children values (7)");
  expect(findDamage(database, "quick")).toContain("children");
});

test("a file that is no database is damaged, a locked one is not", () => {
  expect(findDamage(Database.deserialize(new Uint8Array(4096).fill(0x61)), "quick")).toMatch(/\S/);
  expect(damageSaid(Object.assign(new Error("busy"), { code: "SQLITE_BUSY" }))).toBeNull();
  expect(damageSaid(new Error("anything else"))).toBeNull();
});
