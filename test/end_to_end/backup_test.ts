import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, type Folder, openFolder, runBinary, startBinary } from "../support/binary.ts";
import { outputOf } from "../support/output_of.ts";
import { ADMIN_PASSWORD, openAiClient, openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

const DATABASE = "inference-proxy.db";
const isRoot = process.geteuid?.() === 0;
const OTHER = { uid: 65_534, gid: 65_533 };

/** Runs a line of the shell on the data directory and a place for what is made of it. */
async function shell(line: string, places: { readonly dataDir: string; readonly folder: Folder }) {
  const child = Bun.spawn(["bash", "-c", `set -o pipefail; ${line}`], {
    cwd: places.folder.path,
    env: { PATH: process.env["PATH"] ?? "", PROXY: BINARY, DATA: places.dataDir },
    stdout: "pipe",
    stderr: "pipe",
  });
  return outputOf(child);
}

/** Fills a data directory by a short life of the proxy, ended by the signal. */
async function live(dataDir: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const environment = { INFERENCE_PROXY_ADMIN_PASSWORD: ADMIN_PASSWORD };
  const binary = await startBinary(["--data-dir", dataDir], { environment });
  await (signal === "SIGTERM" ? binary.stop() : binary.kill());
}

test("a backup of a running proxy is piped from standard output into a restore", async () => {
  await using proxy = await openProxy();
  using folder = openFolder();
  await proxy.configure();
  await proxy.createKey();
  const places = { dataDir: proxy.dataDir, folder };
  const piped = await shell(
    `"$PROXY" backup - --data-dir "$DATA" --json | "$PROXY" restore - --data-dir new --json`,
    places,
  );
  expect(piped.exitCode).toBe(0);
  expect(JSON.parse(piped.stdout)).toMatchObject({
    format: 1,
    program_version: expect.stringMatching(/\S/),
    organizations: 1,
    provider_configs: 5,
    inference_keys: 1,
    master_key: "missing",
    kept_aside: null,
  });
  // The report of a backup that is standard output itself.
  const report = JSON.parse(piped.stderr.split("\n")[0] ?? "");
  const restored = readFileSync(join(folder.path, "new", DATABASE));
  expect(report.database).toEqual({
    bytes: restored.length,
    sha256: Bun.SHA256.hash(restored, "hex"),
  });
  expect(piped.stderr).toContain("note: the master key is not in it");
  await proxy.binary.stop();
});

test("a reader of standard output that leaves is told from a fault of the program", async () => {
  using folder = openFolder();
  using data = openFolder();
  await live(data.path, "SIGTERM");
  const places = { dataDir: data.path, folder };
  const cut = await shell(`"$PROXY" backup - --data-dir "$DATA" | head -c 10 > head`, places);
  expect(cut.exitCode).toBe(74);
  expect(cut.stderr).toContain("whoever reads it has gone");
  expect(statSync(join(folder.path, "head")).size).toBe(10);
});

test("a backup of a stopped proxy leaves its directory as it was", async () => {
  using folder = openFolder();
  using data = openFolder();
  await live(data.path, "SIGTERM");
  const look = () =>
    readdirSync(data.path)
      .toSorted()
      .map((name) => [name, statSync(join(data.path, name)).mtimeMs]);
  const before = look();
  const path = join(folder.path, "backup.tar");
  expect(await runBinary(["backup", path, "--data-dir", data.path])).toMatchObject({ exitCode: 0 });
  expect(look()).toEqual(before);
});

test("a damaged database is refused after a kill, and a restore brings it back", async () => {
  using folder = openFolder();
  using data = openFolder();
  const path = join(folder.path, "backup.tar");
  const database = join(data.path, DATABASE);
  await live(data.path, "SIGTERM");
  await runBinary(["backup", path, "--data-dir", data.path]);
  const writer = new Database(database);
  writer.run("pragma journal_mode = wal");
  writer.run("insert into audit_events select * from audit_events where false");
  writer.run("create table left_behind (word text)");
  const log = readFileSync(`${database}-wal`);
  writer.close();
  // As a power cut may leave it: a log, and a page that never reached the disk.
  const bytes = readFileSync(database);
  bytes.fill(0, 8 * 4096, 14 * 4096);
  writeFileSync(database, bytes);
  writeFileSync(`${database}-wal`, log);

  const serve = ["serve", "--data-dir", data.path, "--listen", "127.0.0.1:0"];
  const refused = await runBinary(serve);
  expect(refused).toMatchObject({ exitCode: 65, stdout: "" });
  for (const text of ["damaged", "why", "inference-proxy restore", "--force"])
    expect(refused.stderr).toContain(text);
  const backedUp = await runBinary(["backup", `${path}.2`, "--data-dir", data.path]);
  expect(backedUp).toMatchObject({ exitCode: 65 });
  expect(existsSync(`${path}.2`)).toBe(false);

  const restored = await runBinary(["restore", path, "--data-dir", data.path, "--force"]);
  expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
  await using binary = await startBinary(["--data-dir", data.path]);
  expect((await fetch(`${binary.url}/readyz`)).status).toBe(200);
  await binary.stop();
});

test("somebody who reads the database all the time stops neither calls nor the end nor the next start", async () => {
  await using proxy = await openProxy();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  const reader = new Database(join(proxy.dataDir, DATABASE), { readonly: true });
  reader.run("begin");
  reader.query("select count(*) from calls").get();
  const call = () =>
    openAiClient(proxy, secret, { maxRetries: 0 }).client.chat.completions.create({
      model: "openai/gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
    });
  await call();
  expect((await proxy.manage("DELETE", "/providers/groq")).status).toBe(204);
  await proxy.restart("SIGTERM");
  await call();
  const [row] = await proxy.usage("key");
  expect(row?.calls).toBe(2);
  reader.run("rollback");
  reader.close();
  await proxy.binary.stop();
  expect(existsSync(join(proxy.dataDir, `${DATABASE}-wal`))).toBe(false);
});

test.if(isRoot)(
  "root backs up and restores for another user without taking files away",
  async () => {
    using folder = openFolder();
    using data = openFolder();
    const path = join(folder.path, "backup.tar");
    await live(data.path, "SIGKILL");
    const give = (file: string) => chownSync(file, OTHER.uid, OTHER.gid);
    give(data.path);
    for (const name of readdirSync(data.path)) give(join(data.path, name));
    const expectOwned = () => {
      for (const name of readdirSync(data.path))
        expect([name, statSync(join(data.path, name))]).toMatchObject([name, OTHER]);
    };
    const backup = ["backup", path, "--data-dir", data.path];
    expect(await runBinary(backup)).toMatchObject({ exitCode: 0 });
    expectOwned();
    expect(statSync(path)).toMatchObject({ uid: 0, mode: 0o100600 });

    const restore = ["restore", path, "--data-dir", data.path, "--force"];
    expect(await runBinary(restore)).toMatchObject({ exitCode: 0, stderr: "" });
    expectOwned();
    expect(readdirSync(data.path).filter((name) => name.includes("before-restore"))).toHaveLength(
      2,
    );
  },
);

test("a folder that cannot be written is a matter of permissions", async () => {
  using data = openFolder();
  await live(data.path, "SIGTERM");
  // Not even root may write there.
  const backup = await runBinary(["backup", "/proc/backup.tar", "--data-dir", data.path]);
  expect(backup).toMatchObject({ exitCode: 77, stdout: "" });
  expect(backup.stderr).toContain("its folder cannot be written");
});
