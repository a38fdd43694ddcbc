import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { databasePath } from "../../src/app.ts";
import { PROVIDER_IDS } from "../../src/domain/provider.ts";
import { type KeyOwner, UnreadableProviderKeyError, type Vault } from "../../src/store/vault.ts";
import { CHAT, withProxy } from "../support/data_plane.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { NEW_KEY, OLD_KEY, openVault } from "../support/master_keys.ts";
import { ACT } from "../support/store.ts";

// P2: a sealed key that is moved to another row, organization, provider, column or version does not open. Any
// flipped bit gives a typed error, and never another key.

let database: TestDatabase;
let vault: Vault;
beforeAll(async () => {
  database = await openTestDatabase();
  vault = (await openVault(database, OLD_KEY)).vault;
});
afterAll(() => database.close());

const ownerOf = (number: number): KeyOwner => ({
  organizationId: `org-${number % 5}`,
  provider: PROVIDER_IDS[number % PROVIDER_IDS.length] ?? "openai",
  configId: `config-${number}`,
});

/** Opens what a row stores; an unreadable one is its reason. Any other error fails the test. */
async function open(sealed: string, owner: KeyOwner): Promise<string> {
  try {
    return (await vault.openProviderKey(sealed, owner)).reveal();
  } catch (error) {
    if (error instanceof UnreadableProviderKeyError) return `unreadable: ${error.reason}`;
    throw error;
  }
}

test("P2: every flipped bit of 50 sealed keys makes the key unreadable", async () => {
  for (let number = 0; number < 50; number += 1) {
    const owner = ownerOf(number);
    const sealed = Uint8Array.fromBase64(await vault.sealProviderKey(`sk-${number}`, owner));
    const flipped = Array.from({ length: sealed.length * 8 }, (_, bit) => {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return open(changed.toBase64(), owner);
    });
    const reasons = await Promise.all(flipped);
    expect(reasons.filter((reason) => !reason.startsWith("unreadable"))).toEqual([]);
    // Version, key id, and everything else: each field is guarded.
    expect(new Set(reasons)).toEqual(
      new Set(["unreadable: malformed", "unreadable: other_key", "unreadable: not_authentic"]),
    );
    expect(await open(sealed.toBase64(), owner)).toBe(`sk-${number}`);
  }
});

test("P2: a sealed key that was shortened, lengthened or put together from two is unreadable", async () => {
  const [owner, other] = [ownerOf(0), ownerOf(1)];
  const sealed = Uint8Array.fromBase64(await vault.sealProviderKey("sk-first-key", owner));
  const second = Uint8Array.fromBase64(await vault.sealProviderKey("sk-other-key", other));
  for (let length = 0; length < sealed.length; length += 1) {
    const shorter = sealed.slice(0, length);
    expect(await open(shorter.toBase64(), owner)).toStartWith("unreadable");
    const joined = new Uint8Array([...shorter, ...second.slice(length)]);
    // Their beginnings are the same: version and key id.
    if (!Bun.deepEquals(joined, second))
      for (const one of [owner, other])
        expect(await open(joined.toBase64(), one)).toStartWith("unreadable");
  }
  expect(await open(new Uint8Array([...sealed, 0]).toBase64(), owner)).toStartWith("unreadable");
});

test("P2: of all ways to swap sealed keys among organizations, providers and rows none opens", async () => {
  const owners: KeyOwner[] = [];
  for (const organizationId of ["org", "org2", "or", "g", "Org"])
    for (const provider of PROVIDER_IDS)
      for (const configId of ["config", "2config"])
        owners.push({ organizationId, provider, configId });
  const sealed = await Promise.all(
    owners.map((owner, index) => vault.sealProviderKey(`sk-${index}`, owner)),
  );
  for (const [from, text] of sealed.entries()) {
    const opened = await Promise.all(owners.map((owner) => open(text, owner)));
    const expected = owners.map((_, to) =>
      from === to ? `sk-${from}` : "unreadable: not_authentic",
    );
    expect(opened).toEqual(expected);
  }
});

test("P2: what other columns hold does not open as a provider key, nor a provider key in their place", async () => {
  const own = await openTestDatabase();
  const { rotation, vault: both } = await openVault(own, OLD_KEY);
  await rotation.begin(NEW_KEY, ACT);
  await rotation.stop();
  const rows = await own.db.selectFrom("master_keys").selectAll().execute();
  expect(rows).toHaveLength(2);
  for (const { check_value, wrapped_key } of rows)
    for (const foreign of [check_value, wrapped_key ?? ""])
      await expect(both.openProviderKey(foreign, ownerOf(0))).rejects.toBeInstanceOf(
        UnreadableProviderKeyError,
      );
  const sealed = await both.sealProviderKey("sk", ownerOf(0));
  for (const column of ["check_value", "wrapped_key"] as const) {
    const { connection } = own;
    connection.run("savepoint before");
    connection.run(`update master_keys set ${column} = ?`, [sealed]);
    await expect(openVault(own, OLD_KEY)).rejects.toThrow("Cannot open vault");
    connection.run("rollback to before");
    connection.run("release before");
  }
  await own.close();
});

test("P2: no two of 20,000 seals of the same key share a salt or a nonce", async () => {
  const owner = ownerOf(0);
  const salts = new Set<string>();
  const nonces = new Set<string>();
  for (let batch = 0; batch < 20; batch += 1) {
    const sealed = await Promise.all(
      Array.from({ length: 1000 }, () => vault.sealProviderKey("sk", owner)),
    );
    for (const text of sealed) {
      const bytes = Uint8Array.fromBase64(text);
      salts.add(bytes.slice(5, 21).toHex());
      nonces.add(bytes.slice(21, 33).toHex());
    }
  }
  expect([salts.size, nonces.size]).toEqual([20_000, 20_000]);
});

test("P2: calls with a key that was moved or changed are refused, and send nothing; others go on", async () => {
  const providers = ["openai", "mistral", "groq"] as const;
  await withProxy({ providers }, async (proxy) => {
    const model = (provider: string) => ({ ...CHAT, model: `${provider}/some-model` });
    const tamper = (statement: string) => {
      const database = new Database(databasePath(proxy.dataDir), { readwrite: true });
      database.run(statement);
      database.close();
    };
    tamper(
      `update provider_configs set sealed_key =
         (select sealed_key from provider_configs where provider = 'mistral') where provider = 'openai'`,
    );
    tamper(
      "update provider_configs set sealed_key = substr(sealed_key, 1, length(sealed_key) - 8) || 'AAAAAAA=' where provider = 'groq'",
    );
    await proxy.restart();
    for (const provider of ["openai", "groq"]) {
      const answer = await proxy.call(model(provider));
      expect(answer.status).toBe(412);
      expect(answer.json.error.code).toBe("provider_not_configured");
    }
    expect(proxy.standIn.count).toBe(0);
    expect((await proxy.call(model("mistral"))).status).toBe(200);
    expect(proxy.logged).toContain("is unreadable");
  });
});
