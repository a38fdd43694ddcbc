import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type OpenAI from "openai";
import { backUpToFile } from "../../src/store/backup.ts";
import { filePieces, withFile } from "../../src/store/file_pieces.ts";
import { restoreBackup } from "../../src/store/restore.ts";
import { prepareSumFaults } from "../../src/tools/torture/sums.ts";
import { openTestApp } from "../support/app.ts";
import { type Folder, openFolder, runBinary, startBinary } from "../support/binary.ts";
import { CHAT, withProxy } from "../support/data_plane.ts";
import {
  ask,
  openAiClient,
  openProxy,
  PROVIDER_KEY,
  type TestProxy,
  type UsageRow,
} from "../support/proxy.ts";

setDefaultTimeout(60_000);

const DATABASE = "inference-proxy.db";
const MASTER_KEY = "master.key";
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];
const chat = (client: OpenAI) =>
  client.chat.completions.create({ model: "openai/gpt-4o-mini", messages });

/** Calls without a pause until it is stopped. */
function startLoad({ client }: { client: OpenAI }, clients: number) {
  const ended: number[] = [];
  let stopped = false;
  const loops = Array.from({ length: clients }, async () => {
    while (!stopped) {
      await chat(client);
      ended.push(performance.now());
    }
  });
  const stop = async () => {
    stopped = true;
    await Promise.all(loops);
  };
  return { ended, stop };
}

/** Backs up with the binary, beside the proxy that runs. */
async function backUp({ dataDir }: Pick<TestProxy, "dataDir">, folder: Folder) {
  const path = join(folder.path, "backup.tar");
  const ended = await runBinary(["backup", path, "--data-dir", dataDir]);
  expect(ended).toMatchObject({ exitCode: 0 });
  return { path, ...ended };
}

function countCalls(dataDir: string): number {
  const database = new Database(join(dataDir, DATABASE), { readonly: true });
  const row = database.query<{ calls: number }, []>("select count(*) as calls from calls").get();
  database.close();
  return row?.calls ?? 0;
}

test("P19: a backup taken under load has every sum right, and serves on a new machine with the master key", async () => {
  await using proxy = await openProxy();
  using folder = openFolder();
  using machine = openFolder();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  const load = startLoad(openAiClient(proxy, secret, { maxRetries: 0 }), 8);
  try {
    await chat(openAiClient(proxy, secret).client);
    const before = countCalls(proxy.dataDir);
    const [beginMs, backup, endMs] = [
      performance.now(),
      await backUp(proxy, folder),
      performance.now(),
    ];
    await load.stop();
    const after = countCalls(proxy.dataDir);
    expect(load.ended.some((atMs) => atMs > beginMs && atMs < endMs)).toBe(true);

    const dataDir = join(machine.path, "data");
    const restored = await runBinary(["restore", backup.path, "--data-dir", dataDir]);
    expect(restored).toMatchObject({ exitCode: 0 });
    const calls = countCalls(dataDir);
    expect(calls).toBeGreaterThanOrEqual(before);
    expect(calls).toBeLessThanOrEqual(after);
    const database = new Database(join(dataDir, DATABASE));
    expect(prepareSumFaults(database)()).toEqual([]);
    database.close();

    copyFileSync(join(proxy.dataDir, MASTER_KEY), join(dataDir, MASTER_KEY));
    const flags = ["--data-dir", dataDir, "--allow-upstream", proxy.standIn.address];
    await using binary = await startBinary(flags);
    const upstreamCalls = proxy.standIn.count;
    await chat(openAiClient({ baseUrl: `${binary.url}/inference/v1` }, secret).client);
    expect(proxy.standIn.count).toBe(upstreamCalls + 1);
    const sent = proxy.standIn.requests.at(-1)?.headers["authorization"];
    expect(sent).toBe(`Bearer ${PROVIDER_KEY}`);
    expect(await callsCharged(binary.url)).toBe(calls + 1);
    await binary.stop();
  } finally {
    await load.stop();
  }
});

/** Returns how many calls the only organization was charged for. */
async function callsCharged(url: string): Promise<number> {
  const { body } = await ask(`${url}/organizations`, "GET");
  const usage = `${url}/organizations/${body.organizations[0].id}/inference/usage`;
  const { rows }: { rows: UsageRow[] } = (await ask(usage, "GET")).body;
  return rows.reduce((sum, row) => sum + row.calls, 0);
}

test("P19: without the master key everybody says so: the backup, the restore and the refused start", async () => {
  await using proxy = await openProxy();
  using folder = openFolder();
  using machine = openFolder();
  await proxy.configure();
  const { path, stderr } = await backUp(proxy, folder);
  const id = /id ([0-9a-f]{8})/.exec(stderr)?.[1] ?? "none";
  expect(stderr).toContain("the master key is not in it");
  expect(proxy.binary.output()).not.toContain("error");

  const dataDir = join(machine.path, "data");
  const restored = await runBinary(["restore", path, "--data-dir", dataDir]);
  expect(restored).toMatchObject({ exitCode: 0 });
  const keyPath = join(dataDir, MASTER_KEY);
  for (const text of ["warning:", id, `${keyPath} is not there`])
    expect(restored.stderr).toContain(text);

  const refused = await runBinary(["serve", "--data-dir", dataDir]);
  expect(refused).toMatchObject({ exitCode: 78, stdout: "" });
  for (const text of [id, keyPath]) expect(refused.stderr).toContain(text);

  const other = crypto.getRandomValues(new Uint8Array(32)).toHex();
  writeFileSync(keyPath, other, { mode: 0o600 });
  const again = ["restore", path, "--data-dir", dataDir, "--force", "--json"];
  const { exitCode, stdout, stderr: warning } = await runBinary(again);
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
    exitCode: 0,
    master_key: "another",
    master_key_ids: [id],
  });
  const otherId = Bun.SHA256.hash(Uint8Array.fromHex(other), "hex").slice(0, 8);
  expect(warning).toContain(`is another one, with id ${otherId}`);
  expect(await runBinary(["serve", "--data-dir", dataDir])).toMatchObject({ exitCode: 78 });
  const database = new Database(join(dataDir, DATABASE), { readonly: true });
  expect(database.query("select id from master_keys").values()).toEqual([[id]]);
  database.close();
});

test("P19: nothing in a backup opens it: no master key, no provider key, no inference key", async () => {
  await using proxy = await openProxy();
  using folder = openFolder();
  await proxy.configure();
  const { secret } = await proxy.createKey();
  const { path } = await backUp(proxy, folder);
  const bytes = readFileSync(path);
  const masterKey = readFileSync(join(proxy.dataDir, MASTER_KEY), "utf8").trim();
  const secrets = [masterKey, PROVIDER_KEY, secret].flatMap((text) => [text, btoa(text)]);
  expect(secrets.filter((text) => bytes.includes(text))).toEqual([]);
  expect(bytes.includes(Uint8Array.fromHex(masterKey))).toBe(false);
  // A check that would find something, if it were there.
  expect(bytes.includes(secret.slice(0, "fdb-inf-".length + 4))).toBe(true);
  expect(readdirSync(folder.path)).toEqual(["backup.tar"]);
});

test("P19: after a restore rate window, month and open hold are what they were", () =>
  withProxy({ providers: ["openai"] }, async (proxy) => {
    using folder = openFolder();
    const path = join(folder.path, "backup.tar");
    const dataDir = join(folder.path, "data");
    const slow = await proxy.createKey({ rate_limit_rpm: 2 });
    const narrow = await proxy.createKey({ monthly_token_limit: 20 });
    for (const key of [slow, slow, narrow]) await proxy.call(CHAT, { key });
    const before = await proxy.usage("?group_by=key");

    proxy.standIn.next({ until: new Promise(() => {}) });
    const hangUp = new AbortController();
    const lost = proxy.send({ ...CHAT, max_tokens: 77 }, { signal: hangUp.signal });
    await untilHeld(proxy.dataDir);
    const databasePath = join(proxy.dataDir, DATABASE);
    const nowMs = proxy.clock.wallMs();
    await backUpToFile(path, false, { databasePath, programVersion: "test", nowMs });
    hangUp.abort();
    await lost.catch(() => {});

    const restored = { dataDir, databasePath: join(dataDir, DATABASE), force: false, nowMs };
    await withFile(path, (file) => restoreBackup(filePieces(file), restored));
    copyFileSync(join(proxy.dataDir, MASTER_KEY), join(dataDir, MASTER_KEY));
    const flags = ["--allow-upstream", proxy.standIn.address];
    const app = await openTestApp({ dataDir, clock: proxy.clock, flags });
    const call = async ({ secret }: { secret: string }) => {
      const response = await fetch(`${app.url}/inference/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}` },
        body: JSON.stringify(CHAT),
      });
      const { error } = (await response.json()) as { error?: { code: string } };
      return error?.code ?? response.status;
    };
    try {
      expect(await call(slow)).toBe("rate_limited");
      expect(await call(narrow)).toBe("token_ceiling_exceeded");
      const [held] = await rowsOf(app, proxy.organizationId, [slow.id, narrow.id]);
      expect(held).toMatchObject({ calls: 1, output_tokens: 77, estimated_calls: 1 });
      const kept = await rowsOf(app, proxy.organizationId, [proxy.key.id]);
      expect(kept).toEqual(before);
      proxy.clock.advance(60_000);
      expect(await call(slow)).toBe(200);
    } finally {
      await app.close();
    }
  }));

/** Resolves when a call in flight has its hold on disk. */
async function untilHeld(dataDir: string): Promise<void> {
  const database = new Database(join(dataDir, DATABASE), { readonly: true });
  const held = database.query("select 1 from calls where state = 'pending'");
  while (held.get() === null) await new Promise((resolve) => setImmediate(resolve));
  database.close();
}

/** Returns the usage by key, but for some keys. */
async function rowsOf(
  app: Awaited<ReturnType<typeof openTestApp>>,
  organizationId: string,
  without: readonly string[],
): Promise<UsageRow[]> {
  const path = `/organizations/${organizationId}/inference/usage?group_by=key`;
  const { body }: { body: { rows: UsageRow[] } } = await app.manage("GET", path);
  return body.rows.filter((row) => !without.includes(row.group_key));
}
