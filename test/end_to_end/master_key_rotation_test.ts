import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ManagementClient, listOf, textOf } from "../../src/cli/management_client.ts";
import { controlSocket } from "../../src/app.ts";
import { PROVIDER_IDS, type ProviderId } from "../../src/domain/provider.ts";
import { fetchUnix } from "../../src/std/unix_server.ts";
import { type StandIn, startStandIn } from "../../src/stand_in/stand_in.ts";
import { keptMasterKeyPath, swapMasterKeys } from "../../src/store/master_key_swap.ts";
import { rotation } from "../../src/tools/torture/rotation.ts";
import { BINARY, openFolder, runBinary, startBinary } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";

setDefaultTimeout(120_000);

/** Five providers each. */
const ORGANIZATIONS = 60;

/** How many of them call all the time. */
const CALLING = 12;

/** An organization whose every provider is the stand-in, and a key that may call. */
interface Caller {
  readonly slug: string;
  readonly secret: string;
}

/** Creates organizations with provider keys that say whose they are. */
async function createCallers(client: ManagementClient, standIn: StandIn): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let number = 0; number < ORGANIZATIONS; number += 1) {
    const slug = `org-${number}`;
    const created = await client.call("POST", "/operator/organizations", { name: slug });
    const base = `/organizations/${textOf(created, "id")}/inference`;
    await client.call("PUT", `${base}/settings`, { monthly_cost_limit_cents: 1_000_000 });
    for (const provider of PROVIDER_IDS)
      await client.call("PUT", `${base}/providers`, {
        provider,
        api_key: keyOf(slug, provider),
        base_url: standIn.baseUrls[speakerOf(provider)],
      });
    const limits = { monthly_token_limit: 1e12, rate_limit_rpm: 100_000 };
    const { secret } = await client.call("POST", `${base}/keys`, { name: "app", ...limits });
    callers.push({ slug, secret: String(secret) });
  }
  return callers;
}

const keyOf = (slug: string, provider: ProviderId) => `sk-${slug}-of-${provider}-0123456789`;
const speakerOf = (provider: ProviderId) => (provider === "azure_openai" ? "azure" : provider);

/** Calls a provider of an organization, by a model whose name says whose key must arrive. */
async function call(url: string, { slug, secret }: Caller, provider: ProviderId): Promise<number> {
  const response = await fetch(`${url}/inference/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: `${provider}/${slug}-of-${provider}`,
      messages: [{ role: "user", content: "hi" }],
    }),
  });
  await response.text();
  return response.status;
}

/** Returns the requests at the stand-in that did not present the key of their organization and provider. */
function wronglyAuthorized(standIn: StandIn): unknown[] {
  return standIn.requests.filter(({ path, headers, json }) => {
    const deployment = /deployments\/([^/]+)/.exec(path)?.[1];
    const expected = `sk-${deployment ?? String(json?.["model"])}-0123456789`;
    const sent = [
      headers["authorization"]?.replace("Bearer ", ""),
      headers["x-api-key"],
      headers["api-key"],
    ];
    return !sent.includes(expected);
  });
}

test("hundreds of provider keys move to a new master key while calls run, and none is lost", async () => {
  using folder = openFolder();
  const standIn = startStandIn();
  const argv = ["--data-dir", folder.path, "--allow-upstream", standIn.address];
  const start = () => startBinary([...argv, "--log-format", "json"]);
  await using server = await start();
  const socket = controlSocket(folder.path);
  const client = new ManagementClient((request) => fetchUnix(socket, request));
  const callers = await createCallers(client, standIn);

  let stopped = false;
  const statuses: number[] = [];
  const callOn = async (caller: Caller) => {
    for (let turn = 0; !stopped; turn += 1) {
      const provider = PROVIDER_IDS[turn % PROVIDER_IDS.length] ?? "openai";
      statuses.push(await call(server.url, caller, provider));
    }
  };
  const calling = callers.slice(0, CALLING).map(callOn);
  const before = textOf(await client.call("GET", "/operator/master-key"), "key_id");
  for (let round = 0; round < 3; round += 1)
    expect(await rotate(folder.path)).toMatchObject({ exitCode: 0 });
  stopped = true;
  await Promise.all(calling);
  expect(statuses.length).toBeGreaterThan(CALLING);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(wronglyAuthorized(standIn)).toEqual([]);

  expect(await client.call("GET", "/operator/master-key")).toMatchObject({
    previous_key_id: null,
    rows_left: 0,
  });
  expect(server.output()).not.toContain('"level":"error"');
  await server.stop();
  // The next start opens every one of them with the new key alone.
  await using again = await start();
  for (const caller of callers)
    for (const provider of PROVIDER_IDS) expect(await call(again.url, caller, provider)).toBe(200);
  expect(wronglyAuthorized(standIn)).toEqual([]);
  await again.stop();
  // A key that was replaced opens nothing any more.
  const old = keptMasterKeyPath(join(folder.path, "master.key"), before);
  const refused = await runBinary(["serve", ...argv, "--master-key-file", old]);
  expect(refused.exitCode).toBe(78);
  await standIn.stop();
});

test("under a service manager, the server has a copy of the key and the command swaps the original", async () => {
  using folder = openFolder();
  using credentials = openFolder();
  using etc = openFolder();
  const original = join(etc.path, "master.key");
  const copy = join(credentials.path, "master-key");
  const key = crypto.getRandomValues(new Uint8Array(32));
  writeFileSync(original, `${key.toHex()}\n`, { mode: 0o600 });
  const load = () => {
    rmSync(copy, { force: true });
    copyFileSync(original, copy);
  };
  load();
  const start = () =>
    startBinary(["--data-dir", folder.path], {
      environment: { CREDENTIALS_DIRECTORY: credentials.path },
    });
  await using server = await start();
  // Without being told where the original is, the command finds none and changes nothing.
  expect((await rotate(folder.path)).exitCode).toBe(78);
  expect(await rotate(folder.path, "--master-key-file", original)).toMatchObject({ exitCode: 0 });
  await server.stop();
  const refused = await runBinary(["serve", "--data-dir", folder.path, "--listen", "127.0.0.1:0"], {
    environment: { CREDENTIALS_DIRECTORY: credentials.path },
  });
  expect(refused.exitCode).toBe(78);
  load();
  await using again = await start();
  await again.stop();
});

test("a server that is started with the new key while the rotation is unfinished finishes it", async () => {
  using folder = openFolder();
  const keyPath = join(folder.path, "master.key");
  const start = () => startBinary(["--data-dir", folder.path, "--log-format", "json"]);
  await using server = await start();
  const socket = controlSocket(folder.path);
  const client = new ManagementClient((request) => fetchUnix(socket, request));
  const next = crypto.getRandomValues(new Uint8Array(32));
  writeFileSync(`${keyPath}.next`, next.toHex(), { mode: 0o600 });
  await client.call("POST", "/operator/master-key/rotation", { new_key: next.toBase64() });
  await server.kill();
  await using withOld = await start();
  expect(withOld.output()).toContain("master key rotation is unfinished");
  await withOld.kill();
  swapMasterKeys(keyPath);
  await using withNew = await start();
  await eventually(() => withNew.output().includes("master key rotation finished"));
  expect(listOf(await client.call("GET", "/organizations"), "organizations")).toHaveLength(1);
  await withNew.stop();
});

test("a rotation that is killed at random moments goes on with whichever key, and loses nothing", async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  const torture = rotation({ binary: BINARY, long: false, seed, rounds: 6, rows: 1500 });
  const figures = await torture.catch((error: unknown) => `seed ${seed}: ${error}`);
  expect(figures).toContain("0 unreadable, 0 under an old key");
});

const rotate = (dataDir: string, ...flags: string[]) =>
  runBinary(["master-key", "rotate", "--data-dir", dataDir, ...flags]);
