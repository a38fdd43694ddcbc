import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import {
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyDatabase } from "../../src/store/copy_database.ts";
import { openSqlite } from "../../src/store/sqlite.ts";
import { openWorkFolder, type WorkFolder } from "../../src/store/work_folder.ts";

const isRoot = process.geteuid?.() === 0;
const OTHER = { uid: 65_534, gid: 65_533 };

interface Place {
  /** The folder of the database. */
  readonly folder: string;
  readonly path: string;
  readonly copyPath: string;
  /** Copies the database and returns the words in the copy. */
  copiedWords(): string[];
}

/** Calls back with a place for a database and another for its copy. */
function withPlace(use: (place: Place) => void): void {
  using work: WorkFolder = openWorkFolder(tmpdir());
  using folder: WorkFolder = openWorkFolder(tmpdir());
  const path = join(folder.path, "words.db");
  const copyPath = join(work.path, "copy.db");
  const copiedWords = () => {
    copyDatabase(path, copyPath);
    const copy = new Database(copyPath, { readonly: true });
    const rows = copy.query<{ word: string }, []>("select word from words").all();
    copy.close();
    return rows.map(({ word }) => word);
  };
  use({ folder: folder.path, path, copyPath, copiedWords });
}

function openWords(path: string): Database {
  const { connection } = openSqlite(path);
  connection.run("create table words (word text)");
  connection.run("insert into words values ('first')");
  return connection;
}

/** Every file of a folder with all that would show a change, but for the time of the last reading. */
function look(folder: string): unknown[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const { ino, size, mode, uid, gid, mtimeMs } = statSync(join(folder, name));
      return { name, ino, size, mode, uid, gid, mtimeMs };
    });
}

test("a copy holds what is committed, in the log or not, while somebody writes", () =>
  withPlace(({ path, copiedWords }) => {
    const writer = openWords(path);
    writer.run("pragma wal_checkpoint(truncate)");
    writer.run("insert into words values ('in the log')");
    writer.run("begin immediate");
    writer.run("insert into words values ('not committed')");
    expect(copiedWords()).toEqual(["first", "in the log"]);
    writer.run("commit");
    writer.close();
  }));

test("copying a closed database leaves no trace beside it", () =>
  withPlace(({ folder, path, copiedWords }) => {
    openWords(path).close();
    const before = look(folder);
    expect(copiedWords()).toEqual(["first"]);
    expect(look(folder)).toEqual(before);
    expect(readdirSync(folder)).toEqual(["words.db"]);
  }));

test("what was deleted is not in the copy, where it still is in the file", () =>
  withPlace(({ path, copyPath, copiedWords }) => {
    const writer = openWords(path);
    writer.run("pragma secure_delete = off");
    const secret = "canary ".repeat(2000);
    writer.query("insert into words values (?)").run(secret);
    writer.query("delete from words where word = ?").run(secret);
    writer.run("pragma wal_checkpoint(truncate)");
    expect(readFileSync(path).includes("canary canary")).toBe(true);
    expect(copiedWords()).toEqual(["first"]);
    expect(readFileSync(copyPath).includes("canary")).toBe(false);
    writer.close();
  }));

test("what a killed process left in the log is in the copy, and new files are the owner's", () =>
  withPlace(({ folder, path, copiedWords }) => {
    const elsewhere = join(folder, "elsewhere.db");
    const writer = openWords(elsewhere);
    for (const ending of ["", "-wal"]) copyFileSync(elsewhere + ending, path + ending);
    writer.close();
    const owner = isRoot ? OTHER : { uid: statSync(path).uid, gid: statSync(path).gid };
    for (const one of [folder, path, `${path}-wal`]) chownSync(one, owner.uid, owner.gid);
    expect(copiedWords()).toEqual(["first"]);
    const made = readdirSync(folder).filter((name) => name.startsWith("words.db"));
    for (const name of made) expect(statSync(join(folder, name))).toMatchObject(owner);
    expect(made).toContain("words.db-wal");
  }));

test.if(isRoot)("root does not follow a link of somebody else to what only root may read", () =>
  withPlace(({ folder, path, copyPath }) => {
    using hidden = openWorkFolder(tmpdir());
    const target = join(hidden.path, "root.db");
    openWords(target).close();
    chownSync(folder, OTHER.uid, OTHER.gid);
    symlinkSync(target, path);
    lchownSync(path, OTHER.uid, OTHER.gid);
    expect(() => copyDatabase(path, copyPath)).toThrow();
    expect(existsSync(copyPath)).toBe(false);
  }),
);

test("a file that is no database is not copied", () =>
  withPlace(({ path, copyPath }) => {
    copyFileSync(import.meta.path, path);
    expect(() => copyDatabase(path, copyPath)).toThrow("not a database");
  }));
