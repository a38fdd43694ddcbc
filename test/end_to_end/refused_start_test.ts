import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type BinaryOptions, openFolder, runBinary, startBinary } from "../support/binary.ts";

const folder = openFolder();
afterAll(() => folder[Symbol.dispose]());
const dataDir = join(folder.path, "data");
const databasePath = join(dataDir, "inference-proxy.db");
const masterKeyPath = join(dataDir, "master.key");
await (await startBinary(["--data-dir", dataDir])).stop();

const DATA_DIR = ["--data-dir", dataDir, "--listen", "127.0.0.1:0"];

interface Refused {
  readonly exitCode: number;
  /** What is, why, and what to do, each somewhere in the text. */
  readonly says: readonly string[];
  readonly argv?: readonly string[];
  readonly options?: BinaryOptions;
}

/** Runs a start that must be refused, with reasons for people, and leave no trace in the data directory. */
async function expectRefused({ exitCode, says, argv = DATA_DIR, options }: Refused): Promise<void> {
  const before = traces();
  const ended = await runBinary(["serve", ...argv], options);
  expect(ended.exitCode).toBe(exitCode);
  expect(ended.stdout).toBe("");
  expect(ended.stderr).toStartWith("error: Cannot ");
  for (const text of says) expect(ended.stderr).toContain(text);
  expect(ended.stderr).toMatch(/^ {2}fix +\S/m);
  expect(ended.stderr).not.toMatch(/^ +at /m);
  expect(traces()).toEqual(before);
}

/** Every file of the data directory by name, and what it holds. */
function traces(): Record<string, string> {
  const names = readdirSync(dataDir).toSorted();
  return Object.fromEntries(
    names.map((name) => [name, Bun.SHA256.hash(readFileSync(join(dataDir, name)), "hex")]),
  );
}

test("a master key that is not the database's", async () => {
  const original = readFileSync(masterKeyPath);
  writeFileSync(masterKeyPath, `${"0123456789abcdef".repeat(2)}${"fedcba9876543210".repeat(2)}\n`);
  await expectRefused({ exitCode: 78, says: ["master key", "needed", "offered"] });
  writeFileSync(masterKeyPath, original);
});

test("a master key that is gone, which is not made anew", async () => {
  const away = join(folder.path, "away.key");
  renameSync(masterKeyPath, away);
  await expectRefused({ exitCode: 78, says: [masterKeyPath, "--master-key-file"] });
  expect(existsSync(masterKeyPath)).toBe(false);
  renameSync(away, masterKeyPath);
});

test("a master key that others may read", async () => {
  chmodSync(masterKeyPath, 0o644);
  await expectRefused({ exitCode: 78, says: [masterKeyPath, "others may read it", "chmod 600"] });
  chmodSync(masterKeyPath, 0o600);
});

test("a database of a newer version", async () => {
  const row = "0000-newer, not known here";
  const database = new Database(databasePath);
  database.run("insert into kysely_migration (name, timestamp) values ('9999_later', ?)", [row]);
  database.run("pragma wal_checkpoint(truncate)");
  database.close();
  await expectRefused({ exitCode: 65, says: ["9999_later", "newer version"] });
  const again = new Database(databasePath);
  again.run("delete from kysely_migration where name = '9999_later'");
  again.close();
});

test("a port that is taken", async () => {
  using other = openFolder();
  const holder = await startBinary(["--data-dir", other.path]);
  const address = new URL(holder.url).host;
  const argv = ["--data-dir", dataDir, "--listen", address];
  await expectRefused({ exitCode: 69, argv, says: [address, "already in use", "--listen"] });
  await holder.stop();
});

test("a data directory that another process serves from, which goes on serving", async () => {
  const holder = await startBinary(["--data-dir", dataDir]);
  const says = ["another process is using it", `process ${holder.pid}`, "--data-dir"];
  await expectRefused({ exitCode: 75, says });
  expect((await fetch(`${holder.url}/readyz`)).status).toBe(200);
  await holder.stop();
});

test("a data directory that cannot be one", async () => {
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  const argv = ["--data-dir", file, "--listen", "127.0.0.1:0"];
  await expectRefused({ exitCode: 77, argv, says: [file, "--data-dir"] });
});

test("a file in the place of the database that is none", async () => {
  const away = join(folder.path, "away.db");
  renameSync(databasePath, away);
  writeFileSync(databasePath, "This is a letter to nobody in particular. ".repeat(100));
  await expectRefused({ exitCode: 65, says: ["not a database", "backup"] });
  rmSync(databasePath);
  renameSync(away, databasePath);
});

test("a flag that does not exist, a value that is none, a command that does not exist", async () => {
  await expectRefused({ exitCode: 64, argv: ["--lissen", "x"], says: ["--lissen", "--listen"] });
  const listen = ["--listen", "nowhere"];
  await expectRefused({ exitCode: 64, argv: listen, says: ["nowhere", "HOST:PORT"] });
  expect((await runBinary(["sevre"])).exitCode).toBe(64);
  expect((await runBinary([])).exitCode).toBe(64);
});

test("a variable in the environment that does not exist", async () => {
  const environment = { INFERENCE_PROXY_LISTEN_ADDR: "127.0.0.1:1" };
  await expectRefused({
    exitCode: 78,
    options: { environment },
    says: ["INFERENCE_PROXY_LISTEN_ADDR", "did you mean INFERENCE_PROXY_LISTEN?"],
  });
});

test("after all of that the data directory serves as before", async () => {
  await (await startBinary(["--data-dir", dataDir])).stop();
});
