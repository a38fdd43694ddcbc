import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openFolder, runBinary, startBinary } from "../support/binary.ts";
import { sumsOf } from "../support/fixture.ts";
import {
  ask,
  configOf,
  openAiClient,
  openProxy,
  type TestProxy,
  type UsageRow,
} from "../support/proxy.ts";

setDefaultTimeout(30_000);

const DATABASE = "inference-proxy.db";

/** Where the log says which one it is: it gets other salts when it begins anew. */
const SALTS = { at: 16, end: 24 };

/**
 * What a replicator does to a database that it ships: it has tables of its own in it, reads all the time so that
 * nobody else begins the log anew, takes what was appended, and in between moves the log into the database itself.
 */
class Replicator implements Disposable {
  readonly #path: string;
  readonly #writer: Database;
  readonly #reader: Database;

  constructor(dataDir: string) {
    this.#path = join(dataDir, DATABASE);
    this.#writer = new Database(this.#path);
    this.#writer.run("pragma busy_timeout = 1000; pragma wal_autocheckpoint = 0");
    this.#writer.run(
      "create table _replicator_sequence (id integer primary key, sequence integer)",
    );
    this.#writer.run("create table _replicator_lock (id integer)");
    this.#reader = new Database(this.#path);
    this.hold();
  }

  /** Keeps the log from being begun anew. */
  hold(): void {
    this.#reader.run("begin");
    this.#reader.query("select count(*) from _replicator_sequence").get();
  }

  /** Which log it ships. */
  get salts(): string {
    return readFileSync(`${this.#path}-wal`).toString("hex", SALTS.at, SALTS.end);
  }

  /** Copies the database and the log that belongs to it, as they are. */
  shipTo(folder: string): void {
    for (const name of [DATABASE, `${DATABASE}-wal`])
      copyFileSync(join(this.#path, "..", name), join(folder, name));
  }

  /** Moves the log into the database, and begins it anew with an entry of its own. */
  checkpoint(mode: "passive" | "restart" | "truncate"): void {
    this.#reader.run("rollback");
    this.#writer.query(`pragma wal_checkpoint(${mode})`).get();
    this.#writer.run(
      "insert into _replicator_sequence values (1, 1) on conflict do update set sequence = sequence + 1",
    );
    // It keeps others from writing while it looks how far it has come.
    this.#writer.run("begin immediate");
    this.#writer.run("insert into _replicator_lock values (1)");
    this.#writer.run("rollback");
    this.hold();
  }

  [Symbol.dispose](): void {
    this.#reader.close();
    this.#writer.close();
  }
}

async function callOften(proxy: TestProxy, secret: string, times: number): Promise<void> {
  const { completions } = openAiClient(proxy, secret, { maxRetries: 0 }).client.chat;
  const messages = [{ role: "user" as const, content: "hi" }];
  for (let at = 0; at < times; at += 1)
    await completions.create({ model: "openai/gpt-4o-mini", messages });
}

test("a replicator never misses a piece of the log, and calls go on beside it", async () => {
  await using proxy = await openProxy();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  using replicator = new Replicator(proxy.dataDir);
  for (const mode of ["passive", "restart", "truncate"] as const) {
    const { salts } = replicator;
    await callOften(proxy, secret, 3);
    // Whatever would empty the log has to wait: a deleted key, a backup, an end and a start.
    expect((await proxy.manage("DELETE", "/providers/groq")).status).toBe(204);
    expect((await proxy.manage("PUT", "/providers", configOf("groq", proxy.standIn))).status).toBe(
      200,
    );
    using folder = openFolder();
    const backup = ["backup", join(folder.path, "backup.tar"), "--data-dir", proxy.dataDir];
    expect(await runBinary(backup)).toMatchObject({ exitCode: 0 });
    await proxy.restart(mode === "passive" ? "SIGKILL" : "SIGTERM");
    await callOften(proxy, secret, 3);
    expect(replicator.salts).toBe(salts);
    replicator.checkpoint(mode);
  }
  const [row] = await proxy.usage("key");
  expect(row?.calls).toBe(18);
});

test("what a replicator shipped is a whole database, and so is a backup with its tables in it", async () => {
  await using proxy = await openProxy();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  using replicator = new Replicator(proxy.dataDir);
  using shipped = openFolder();
  using restored = openFolder();
  const backup = join(shipped.path, "backup.tar");
  await callOften(proxy, secret, 3);
  replicator.checkpoint("passive");
  await callOften(proxy, secret, 4);
  const usage = await proxy.usage("key");
  expect(sumsOf(usage).calls).toBe(7);
  // Calls are being written while it copies.
  const calling = callOften(proxy, secret, 3);
  replicator.shipTo(shipped.path);
  await calling;
  const backUp = await runBinary(["backup", backup, "--data-dir", proxy.dataDir]);
  expect(backUp).toMatchObject({ exitCode: 0 });
  await proxy.binary.stop();

  for (const { path } of [shipped, restored]) {
    copyFileSync(join(proxy.dataDir, "master.key"), join(path, "master.key"));
    chmodSync(join(path, "master.key"), 0o600);
  }
  const restore = await runBinary(["restore", backup, "--data-dir", restored.path]);
  expect(restore).toMatchObject({ exitCode: 0, stderr: "" });
  const seen = await Promise.all([shipped, restored].map(({ path }) => usageIn(path)));
  const calls = seen.map((rows) => sumsOf(rows).calls);
  expect(calls[0]).toBeGreaterThanOrEqual(7);
  expect(calls[1]).toBe(10);
  expect(existsSync(join(shipped.path, `${DATABASE}-wal`))).toBe(false);
});

/** Serves from a data directory, and returns the usage of its first organization. */
async function usageIn(dataDir: string): Promise<UsageRow[]> {
  await using binary = await startBinary(["--data-dir", dataDir]);
  const { body } = await ask(`${binary.url}/organizations`, "GET");
  const inference = `${binary.url}/organizations/${body.organizations[0].id}/inference`;
  const usage = await ask(`${inference}/usage?group_by=key`, "GET");
  await binary.stop();
  return usage.body.rows;
}
