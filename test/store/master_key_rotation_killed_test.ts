import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STEP_ROWS_MAX } from "../../src/store/master_key_rotation.ts";
import { WrongMasterKeyError } from "../../src/store/master_key_ring.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";
import { openTestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import {
  NEW_ID,
  NEW_KEY,
  OLD_ID,
  OLD_KEY,
  openVault,
  rowsByKey,
  saveKeys,
  unreadableRows,
} from "../support/master_keys.ts";
import { ACT } from "../support/store.ts";

/** A step and a half. */
const ROWS = STEP_ROWS_MAX * 1.5;

/** Where a database file and its log lie. */
const FILES = ["test.db", "test.db-wal"] as const;

/** A folder with a database whose provider keys the old key seals. */
const template = await makeTemplate();

async function makeTemplate(): Promise<string> {
  const database = await openTestDatabase();
  const { vault } = await openVault(database, OLD_KEY);
  await saveKeys(database, vault, ROWS / 5);
  database.connection.run("pragma wal_checkpoint(truncate)");
  const folder = newFolder();
  copyFileSync(database.path, join(folder, FILES[0]));
  await database.close();
  return folder;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-killed-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Copies a database as a kill would leave it: what the process has in memory is lost. */
function copyOf(folder: string): string {
  const copy = newFolder();
  for (const file of FILES)
    if (existsSync(join(folder, file))) copyFileSync(join(folder, file), join(copy, file));
  return copy;
}

const open = (folder: string) => openSqlite(join(folder, FILES[0]), "normal");

/** Lets the connection run so many statements more. The one after is its last, and never runs. */
function dieAfter({ connection }: Sqlite, statements: number): { readonly count: () => number } {
  const prepare = connection.prepare.bind(connection);
  let count = 0;
  connection.prepare = ((sql: string) => {
    count += 1;
    if (count > statements) throw new Error("killed");
    return prepare(sql);
  }) as typeof connection.prepare;
  return { count: () => count };
}

/** Rotates from the old key to the new one, step by step, and dies after so many statements. */
async function rotateAndDie(statements: number): Promise<{ folder: string; done: boolean }> {
  const folder = copyOf(template);
  const sqlite = open(folder);
  const { rotation } = await openVault(sqlite, OLD_KEY);
  const dying = dieAfter(sqlite, statements);
  try {
    await rotation.begin(NEW_KEY, ACT);
    // What the background does, done here: one statement after the other.
    await rotation.stop();
    while ((await rotation.step()) > 0);
    await rotation.finish(ACT);
  } catch (error) {
    expect(String(error)).toContain("killed");
  }
  await rotation.stop();
  const done = dying.count() <= statements;
  const left = copyOf(folder);
  sqlite.connection.close();
  return { folder: left, done };
}

const KEYS = [
  ["old", OLD_KEY, OLD_ID],
  ["new", NEW_KEY, NEW_ID],
] as const;

/** Opens what is left with a key, and goes on to the end. Returns how far the dead one had come. */
async function goOn(left: string, key: (typeof KEYS)[number]) {
  const [, bytes, id] = key;
  const sqlite = open(copyOf(left));
  try {
    const opened = await openVault(sqlite, bytes).catch((error: unknown) => error);
    if (opened instanceof WrongMasterKeyError) return { needed: opened.neededIds };
    if (opened instanceof Error) throw opened;
    const { vault, rotation, logged } = opened as Awaited<ReturnType<typeof openVault>>;
    expect(await unreadableRows(sqlite, vault)).toEqual([]);
    const { previousKeyId } = await rotation.state();
    if (previousKeyId === null) return { keyId: vault.keyId };
    rotation.resume();
    const end = id === NEW_ID ? "rotation finished" : "sealed by the new master key";
    await eventually(() => logged.join("").includes(end));
    if (id === OLD_ID) await rotation.finish(ACT);
    expect(await rotation.state()).toEqual({ keyId: NEW_ID, previousKeyId: null, rowsLeft: 0 });
    expect(await rowsByKey(sqlite)).toEqual({ [NEW_ID]: ROWS });
    expect(await unreadableRows(sqlite, vault)).toEqual([]);
    await rotation.stop();
    return { wentOn: true };
  } finally {
    await closeSqlite(sqlite);
  }
}

describe("a rotation that dies", () => {
  test("between any two statements goes on with either key, and loses nothing", async () => {
    const phases = new Set<string>();
    for (let statements = 0; ; statements += 1) {
      const { folder, done } = await rotateAndDie(statements);
      const [byOld, byNew] = [await goOn(folder, KEYS[0]), await goOn(folder, KEYS[1])];
      const found = JSON.stringify([byOld, byNew]);
      // Not begun: the old key alone. Begun: either. Finished: the new key alone.
      expect([
        JSON.stringify([{ keyId: OLD_ID }, { needed: [OLD_ID] }]),
        JSON.stringify([{ wentOn: true }, { wentOn: true }]),
        JSON.stringify([{ needed: [NEW_ID] }, { keyId: NEW_ID }]),
      ]).toContain(found);
      phases.add(found);
      if (done) break;
      // A rotation of two steps takes no more statements than this, or it never ends.
      expect(statements).toBeLessThan(100);
    }
    expect(phases.size).toBe(3);
  });
});
