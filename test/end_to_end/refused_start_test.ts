import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Folder, openFolder, runBinary, startBinary } from "../support/binary.ts";

setDefaultTimeout(30_000);

const DATABASE = "inference-proxy.db";

/** A data directory that has served once. Each test gets a copy of it. */
const used = openFolder();
beforeAll(async () => {
  await (await startBinary(["--data-dir", used.path])).stop();
});
afterAll(() => used[Symbol.dispose]());

function openUsedFolder(): Folder {
  const folder = openFolder();
  cpSync(used.path, folder.path, { recursive: true });
  return folder;
}

interface Refused {
  readonly exitCode: number;
  /** What is, why, and what to do: each stands somewhere in the text. */
  readonly says: readonly string[];
  /** Flags besides the data directory. */
  readonly flags?: readonly string[];
}

/** Runs a start that must be refused, with reasons for people, and leave no trace in the data directory. */
async function expectRefused(
  dataDir: string,
  { exitCode, says, flags = ["--listen", "127.0.0.1:0"] }: Refused,
): Promise<void> {
  const before = traces(dataDir);
  const ended = await runBinary(["serve", "--data-dir", dataDir, ...flags]);
  expect(ended.exitCode).toBe(exitCode);
  expect(ended.stdout).toBe("");
  expect(ended.stderr).toStartWith("error: Cannot ");
  for (const text of says) expect(ended.stderr).toContain(text);
  expect(ended.stderr).toMatch(/^ {2}fix +\S/m);
  expect(ended.stderr).not.toMatch(/^ +at /m);
  expect(traces(dataDir)).toEqual(before);
}

/** Every file of the data directory by name, and what it holds. */
function traces(dataDir: string): Record<string, string> {
  const names = readdirSync(dataDir).filter((name) => statSync(join(dataDir, name)).isFile());
  return Object.fromEntries(
    names.map((name) => [name, Bun.SHA256.hash(readFileSync(join(dataDir, name)), "hex")]),
  );
}

test("a database of a newer version", async () => {
  using folder = openUsedFolder();
  const database = new Database(join(folder.path, DATABASE));
  database.run("insert into kysely_migration (name, timestamp) values ('9999_later', '')");
  database.run("pragma wal_checkpoint(truncate)");
  database.close();
  await expectRefused(folder.path, { exitCode: 65, says: ["9999_later", "newer version"] });
});

test("a file in the place of the database that is none", async () => {
  using folder = openUsedFolder();
  writeFileSync(join(folder.path, DATABASE), "This is a letter to nobody. ".repeat(100));
  await expectRefused(folder.path, { exitCode: 65, says: ["not a database", "backup"] });
});

test("a port that is taken", async () => {
  using folder = openUsedFolder();
  using other = openUsedFolder();
  await using holder = await startBinary(["--data-dir", other.path]);
  const { host, port } = new URL(holder.url);
  const says = [port, `process ${holder.pid}`, "is in use", "--listen"];
  await expectRefused(folder.path, { exitCode: 69, flags: ["--listen", host], says });
  await holder.stop();
});

test("a data directory that another process serves from, which goes on serving", async () => {
  using folder = openUsedFolder();
  await using holder = await startBinary(["--data-dir", folder.path]);
  const says = ["another process is using it", `process ${holder.pid}`, "--data-dir"];
  await expectRefused(folder.path, { exitCode: 75, says });
  expect((await fetch(`${holder.url}/readyz`)).status).toBe(200);
  await holder.stop();
});
