import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath, openApp } from "../src/app.ts";
import { parseConfig } from "../src/config.ts";
import { createLog } from "../src/std/log.ts";
import { LOCK_FILE } from "../src/store/data_dir.ts";
import { openTestApp, type TestApp } from "./support/app.ts";

let app: TestApp;

beforeAll(async () => {
  app = await openTestApp();
});

afterAll(async () => {
  await app.close();
});

test("probes answer without a password, and say no more than that", async () => {
  for (const path of ["/", "/livez", "/readyz", "/healthz"]) {
    const response = await fetch(`${app.url}${path}`);
    expect({ path, status: response.status, body: await response.text() }).toEqual({
      path,
      status: 200,
      body: "ok\n",
    });
  }
});

test("a HEAD request of the root is answered, as some clients begin with one", async () => {
  const response = await fetch(app.url, { method: "HEAD" });
  expect(response.status).toBe(200);
});

test("both planes answer errors in their own shape", async () => {
  const data = await fetch(`${app.url}/nowhere`);
  expect(await data.json()).toMatchObject({ error: { code: "unknown_url", param: null } });
  const management = await fetch(`${app.url}/organizations/nowhere`);
  expect(await management.json()).toMatchObject({ error: expect.any(String) });
});

test("a first start creates one organization and its owner, a later one nothing", async () => {
  const first = await openTestApp();
  expect(first.app.firstStart).toMatchObject({ adminUser: "admin", masterKeyCreated: true });
  const { body } = await first.manage("GET", "/organizations");
  expect(body).toMatchObject({ organizations: [{ slug: "default", role: "owner" }] });
  const second = await first.restart();
  expect(second.app.firstStart).toBeNull();
  expect((await second.manage("GET", "/organizations")).body).toEqual(body);
  await second.close();
});

test("readyz says so while calls drain, livez stays", async () => {
  const draining = await openTestApp();
  await draining.app.drain();
  const answers = await Promise.all(
    ["/readyz", "/healthz", "/livez"].map(async (path) => {
      const response = await fetch(`${draining.url}${path}`);
      return [response.status, await response.text()];
    }),
  );
  expect(answers).toEqual([
    [503, "draining\n"],
    [503, "draining\n"],
    [200, "ok\n"],
  ]);
  await draining.close();
});

test("readyz gives every reason on a line of its own", async () => {
  const troubled = await openTestApp();
  const other = new Database(databasePath(troubled.dataDir));
  other.run("begin immediate");
  await troubled.app.ledgerTurn();
  await troubled.app.drain();
  const response = await fetch(`${troubled.url}/readyz`);
  expect([response.status, await response.text()]).toEqual([
    503,
    "draining\ncannot write the ledger\n",
  ]);
  other.close();
  await troubled.close();
});

const NOBODY = 65_534;

test.skipIf(process.geteuid?.() !== 0)(
  "as the owner of the data, root follows no link that leads where the owner may not go",
  async () => {
    const { app: first, dataDir } = await openTestApp();
    await first.close();
    const outside = mkdtempSync(join(tmpdir(), "inference-proxy-outside-"));
    const lock = join(dataDir, LOCK_FILE);
    rmSync(lock);
    for (const name of ["", ...readdirSync(dataDir)]) {
      // The master key may be where only root may look.
      if (name !== "master.key") chownSync(join(dataDir, name), NOBODY, NOBODY);
    }
    const config = parseConfig(["--data-dir", dataDir], {});
    const log = createLog({ level: "error", human: false, nowMs: () => 0, write: () => {} });
    symlinkSync(join(outside, "made"), lock);
    await expect(openApp(config, { log, asOwner: true })).rejects.toThrow("its lock file");
    expect(existsSync(join(outside, "made"))).toBe(false);
    rmSync(lock);
    const opened = await openApp(config, { log, asOwner: true });
    for (const name of [LOCK_FILE, "inference-proxy.db-wal", "inference-proxy.db-shm"])
      expect([name, statSync(join(dataDir, name)).uid]).toEqual([name, NOBODY]);
    expect(process.geteuid?.()).toBe(0);
    await opened.close();
    for (const folder of [dataDir, outside]) rmSync(folder, { recursive: true });
  },
);
