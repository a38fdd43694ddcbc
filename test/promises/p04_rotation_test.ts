import { expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STEP_ROWS_MAX } from "../../src/store/master_key_rotation.ts";
import { WrongMasterKeyError } from "../../src/store/master_key_ring.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";
import { PROVIDER_IDS } from "../../src/domain/provider.ts";
import { CHAT, type DataPlane, PROVIDER_KEY, withProxy } from "../support/data_plane.ts";
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
import { found, textsIn } from "../support/secret_forms.ts";
import { ACT } from "../support/store.ts";

// P4: the master key is replaced while calls run; a rotation that is killed at any point goes on, and ends with no
// row under the old key.

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
  connection.prepare = (sql: string) => {
    count += 1;
    if (count > statements) throw new Error("killed");
    return prepare(sql);
  };
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

test("P4: a rotation that dies between any two statements goes on with either key, and loses nothing", async () => {
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

/** Asks the app as its operator. */
async function operate({ app }: DataPlane, method: string, path: string, body?: object) {
  const headers = { "content-type": "application/json" };
  const sent = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  const url = `http://localhost/operator/master-key${path}`;
  const response = await app.operate(new Request(url, sent));
  return { status: response.status, json: JSON.parse(await response.text()) };
}

test("P4: the master key is replaced while calls run, and no call notices", async () => {
  await withProxy({ providers: PROVIDER_IDS }, async (proxy) => {
    let stopped = false;
    const statuses: number[] = [];
    const callOn = async (turn: number) => {
      for (let at = turn; !stopped; at += 1) {
        const provider = PROVIDER_IDS[at % PROVIDER_IDS.length];
        const { status } = await proxy.call({ ...CHAT, model: `${provider}/some-model` });
        statuses.push(status);
      }
    };
    const calling = Array.from({ length: 10 }, (_, turn) => callOn(turn));
    for (let round = 0; round < 5 || statuses.length < 100; round += 1) {
      const key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
      expect((await operate(proxy, "POST", "/rotation", { new_key: key })).status).toBe(202);
      // An operator changes a config meanwhile, and another is taken away and comes back.
      expect((await proxy.configure("openai")).status).toBe(200);
      expect((await proxy.configure("openai", { api_key: "" })).status).toBe(200);
      const finished = await operate(proxy, "POST", "/rotation/finish");
      expect(finished.json).toMatchObject({ previous_key_id: null, rows_left: 0 });
    }
    stopped = true;
    await Promise.all(calling);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const sent = proxy.standIn.requests.flatMap(({ headers }) => [
      headers["authorization"]?.replace("Bearer ", "") ?? PROVIDER_KEY,
      headers["x-api-key"] ?? PROVIDER_KEY,
      headers["api-key"] ?? PROVIDER_KEY,
    ]);
    expect(new Set(sent)).toEqual(new Set([PROVIDER_KEY]));
  });
});

test("P4: a rotation ends with no row under the old key, and nothing that it sealed in any file", async () => {
  await withProxy({ providers: PROVIDER_IDS }, async (proxy) => {
    const rows = () =>
      proxy.rows<{ sealed_key: string; master_key_id: string }>("select * from provider_configs");
    const before = rows();
    const old = (await operate(proxy, "GET", "")).json.key_id;
    const key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
    await operate(proxy, "POST", "/rotation", { new_key: key });
    const wrapped = proxy
      .rows<{ wrapped_key: string | null }>("select * from master_keys")
      .map((row) => row.wrapped_key ?? "");
    expect(wrapped.filter((text) => text.length > 100)).toHaveLength(2);
    await operate(proxy, "POST", "/rotation/finish");
    const after = rows();
    expect(after).toHaveLength(PROVIDER_IDS.length);
    expect(after.filter((row) => row.master_key_id === old)).toEqual([]);
    expect(
      proxy.rows<{ id: string; wrapped_key: null }>("select * from master_keys"),
    ).toMatchObject([{ id: after[0]?.master_key_id ?? "", wrapped_key: null }]);
    const texts = textsIn(proxy.dataDir);
    const gone = [...before.map((row) => row.sealed_key), ...wrapped];
    expect(found(gone, texts)).toEqual([]);
    for (const { sealed_key } of after) expect(found([sealed_key], texts)).not.toEqual([]);
  });
});
