import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { GroupCommit } from "../../src/store/group_commit.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";

let folder: string;
let sqlite: Sqlite;
/** Sees only what is committed, and can hold the lock as another process would. */
let other: Database;
let commits: GroupCommit;
let told: string[];
let beforeCommit: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
  const path = join(folder, "test.db");
  sqlite = openSqlite(path, "normal");
  sqlite.connection.run("create table parents (id text primary key)");
  sqlite.connection.run(
    "create table notes (text text not null unique, parent text references parents (id) deferrable initially deferred)",
  );
  other = new Database(path);
  told = [];
  beforeCommit = () => {};
  commits = new GroupCommit({
    connection: sqlite.connection,
    beforeCommit: () => {
      told.push("before commit");
      beforeCommit();
    },
    afterCommit: () => told.push("after commit"),
    onFailure: (error) => told.push(`failure: ${String(error)}`),
    onRefusal: (error) => told.push(`refusal: ${String(error)}`),
  });
});

afterEach(async () => {
  if (other.inTransaction) other.run("rollback");
  other.close();
  await commits.close();
  await closeSqlite(sqlite);
  rmSync(folder, { recursive: true, force: true });
});

const note =
  (text: string, parent: string | null = null) =>
  () => {
    sqlite.connection.run("insert into notes values (?, ?)", [text, parent]);
  };
const committed = (): unknown[] =>
  other.query("select text from notes order by rowid").values().flat();
const outcome = (writing: Promise<void>): Promise<string> =>
  writing.then(
    () => "written",
    (error: unknown) => String(error),
  );
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const failing = () => {
  throw Object.assign(new Error("disk is full"), { code: "SQLITE_FULL" });
};

test("urgent writes of one turn are one transaction, on disk when they resolve", async () => {
  await Promise.all([commits.urgent(note("a")), commits.urgent(note("b"))]);
  expect(committed()).toEqual(["a", "b"]);
  expect(told).toEqual(["before commit", "after commit"]);
  expect(commits.idle).toBe(true);
});

test("nothing is written before the turn ends", async () => {
  const writing = commits.urgent(note("a"));
  expect([committed(), commits.idle]).toEqual([[], false]);
  await writing;
  expect(committed()).toEqual(["a"]);
});

test("urgent writes go alone: nobody waits for what has time", async () => {
  commits.patient(note("b"));
  commits.patient(note("c"));
  await commits.urgent(note("a"));
  expect([committed(), commits.idle]).toEqual([["a"], false]);
  expect(await commits.flush()).toBe(true);
  expect([committed(), commits.idle]).toEqual([["a", "b", "c"], true]);
});

test("patient writes that are many wait no longer, and go behind urgent ones in order", async () => {
  const texts = Array.from({ length: 256 }, (_, index) => `patient ${index}`);
  for (const text of texts) commits.patient(note(text));
  await commits.urgent(note("a"));
  expect([committed(), commits.idle]).toEqual([["a", ...texts], true]);
  expect(told).toEqual(["before commit", "after commit"]);
});

test("patient writes are written without anybody's help, together", async () => {
  commits.patient(note("a"));
  await new Promise<void>((resolve) => commits.patient(() => queueMicrotask(resolve)));
  expect(committed()).toEqual(["a"]);
  expect(told).toEqual(["before commit", "after commit"]);
});

test("flush() writes at once what waits, and nothing where nothing waits", async () => {
  expect(await commits.flush()).toBe(true);
  expect(told).toEqual([]);
  const writing = commits.urgent(note("a"));
  commits.patient(note("b"));
  expect(await commits.flush()).toBe(true);
  expect(committed()).toEqual(["a", "b"]);
  expect(await outcome(writing)).toBe("written");
});

test("what the writes add up to is written in their transaction", async () => {
  beforeCommit = note("sum");
  await commits.urgent(note("a"));
  expect(committed()).toEqual(["a", "sum"]);
});

describe("when a transaction fails", () => {
  test("its urgent writes are refused, and its patient ones are kept until they are written", async () => {
    commits.patient(note("kept"));
    const writings = [
      commits.urgent(note("a")),
      commits.urgent(failing),
      commits.urgent(note("b")),
    ];
    expect(await Promise.all(writings.map(outcome))).toEqual(Array(3).fill("Error: disk is full"));
    expect([committed(), commits.idle]).toEqual([[], false]);
    expect(told).toEqual(["failure: Error: disk is full"]);
    expect(await commits.flush()).toBe(true);
    expect(committed()).toEqual(["kept"]);
  });

  test("its patient writes are tried again by themselves", async () => {
    let tries = 0;
    await new Promise<void>((resolve) =>
      commits.patient(() => {
        tries += 1;
        if (tries === 1) failing();
        note("a")();
        queueMicrotask(resolve);
      }),
    );
    expect([tries, committed(), commits.idle]).toEqual([2, ["a"], true]);
    expect(told).toEqual(["failure: Error: disk is full", "before commit", "after commit"]);
  });

  test("at its sums, nothing is written", async () => {
    beforeCommit = failing;
    commits.patient(note("kept"));
    expect(await outcome(commits.urgent(note("a")))).toContain("disk is full");
    expect([committed(), sqlite.connection.inTransaction]).toEqual([[], false]);
    beforeCommit = () => {};
    expect(await commits.flush()).toBe(true);
    expect(committed()).toEqual(["kept"]);
  });

  test("at its commit, nothing is written and no transaction stays open", async () => {
    const orphan = outcome(commits.urgent(note("a", "no such parent")));
    expect(await orphan).toContain("FOREIGN KEY constraint failed");
    expect([committed(), sqlite.connection.inTransaction]).toEqual([[], false]);
    await commits.urgent(note("b"));
    expect(committed()).toEqual(["b"]);
  });

  test("whoever adds up is told, even if undoing it fails", async () => {
    const connection = {
      get inTransaction() {
        return sqlite.connection.inTransaction;
      },
      prepare: (text: string) => ({
        run: () => {
          sqlite.connection.run(text);
          if (text === "rollback") throw new Error("disk is gone");
        },
      }),
    } as unknown as Database;
    const lists = new GroupCommit({
      connection,
      beforeCommit: () => {},
      afterCommit: () => {},
      onFailure: (error) => told.push(String(error)),
      onRefusal: () => {},
    });
    expect(await outcome(lists.urgent(failing))).toContain("disk is");
    expect(told).toEqual(["Error: disk is full"]);
    await lists.close();
  });

  test("at its lock, nothing is written before the lock is free", async () => {
    other.run("begin immediate");
    commits.patient(note("kept"));
    expect(await outcome(commits.urgent(note("a")))).toContain("database is locked");
    expect(await commits.flush()).toBe(false);
    other.run("rollback");
    expect(await commits.flush()).toBe(true);
    expect(committed()).toEqual(["kept"]);
  });

  test("urgent writes that come while it is in trouble wait for the next try, and count then", async () => {
    other.run("begin immediate");
    expect(await outcome(commits.urgent(note("a")))).toContain("database is locked");
    const waiting = outcome(commits.urgent(note("b")));
    await nextTurn();
    await nextTurn();
    expect(told).toHaveLength(1);
    other.run("rollback");
    expect(await waiting).toBe("written");
    expect(committed()).toEqual(["b"]);
    await commits.urgent(note("c"));
    expect(committed()).toEqual(["b", "c"]);
  });
});

describe("a patient write that the database will never take", () => {
  test("is given up, and those beside it are written once each", async () => {
    commits.patient(note("a"));
    commits.patient(note("a"));
    commits.patient(note("b"));
    const writing = outcome(commits.urgent(note("c")));
    expect(await commits.flush()).toBe(true);
    expect(await writing).toBe("written");
    expect(committed()).toEqual(["a", "b", "c"]);
    expect(told.filter((text) => text.startsWith("refusal"))).toEqual([
      "refusal: SQLiteError: UNIQUE constraint failed: notes.text",
    ]);
    expect(commits.idle).toBe(true);
  });

  test("is given up also where the defect is in the write itself", async () => {
    commits.patient(note("a"));
    commits.patient(() => {
      throw new TypeError("a defect of ours");
    });
    commits.patient(note("b"));
    expect(await commits.flush()).toBe(true);
    expect(committed()).toEqual(["a", "b"]);
  });

  test("is not what an urgent one is: that is refused, and patient ones are written", async () => {
    commits.patient(note("a"));
    const writing = outcome(commits.urgent(note("a")));
    await commits.flush();
    expect(await writing).toContain("UNIQUE constraint failed");
    expect(committed()).toEqual(["a"]);
    expect(told.filter((text) => text.startsWith("refusal"))).toEqual([]);
  });
});

describe("while a management transaction is open", () => {
  test("nothing is written into it, and its rollback takes nothing of ours along", async () => {
    let writing = Promise.resolve("not begun");
    let isSettled = false;
    const transaction = sqlite.db.transaction().execute(async (tx) => {
      await sql`insert into notes (text) values ('theirs')`.execute(tx);
      commits.patient(note("patient"));
      writing = outcome(commits.urgent(note("urgent"))).finally(() => {
        isSettled = true;
      });
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      expect([isSettled, told]).toEqual([false, []]);
      throw new Error("rolled back");
    });
    expect(await outcome(transaction.then(() => {}))).toContain("rolled back");
    expect(await writing).toBe("written");
    expect(await commits.flush()).toBe(true);
    expect(committed()).toEqual(["urgent", "patient"]);
  });

  test("flush() waits until it has ended", async () => {
    commits.patient(note("ours"));
    let flushing = Promise.resolve(false);
    await sqlite.db.transaction().execute(async (tx) => {
      flushing = commits.flush();
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      await sql`insert into notes (text) values ('theirs')`.execute(tx);
    });
    expect(await flushing).toBe(true);
    expect(committed()).toEqual(["theirs", "ours"]);
  });
});

describe("after close()", () => {
  test("everything is written, and nothing more is taken", async () => {
    commits.patient(note("a"));
    const writing = outcome(commits.urgent(note("b")));
    expect(await commits.close()).toBe(true);
    expect([await writing, committed()]).toEqual(["written", ["b", "a"]]);
    expect(await outcome(commits.urgent(note("c")))).toContain("the database is closed");
    commits.patient(note("d"));
    expect(await commits.flush()).toBe(false);
    expect(committed()).toEqual(["b", "a"]);
  });

  test("what could not be written is not tried again", async () => {
    other.run("begin immediate");
    let tries = 0;
    commits.patient(() => {
      tries += 1;
    });
    expect(await commits.close()).toBe(false);
    other.run("rollback");
    expect(await commits.flush()).toBe(false);
    expect(tries).toBe(0);
  });
});
