import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { databasePath } from "../src/app.ts";
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
