import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { PROVIDER_IDS } from "../../src/domain/provider.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { saveProviderConfig } from "../../src/store/provider_configs.ts";
import {
  type KeyOwner,
  neededMasterKeyIds,
  UnreadableProviderKeyError,
  Vault,
  WrongMasterKeyError,
} from "../../src/store/vault.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

const NOW_MS = Date.UTC(2026, 5, 15);
const KEY = Uint8Array.fromHex("a1b2c3d4e5f60718293a4b5c6d7e8f90".repeat(2));
const OTHER_KEY = Uint8Array.fromHex("00112233445566778899aabbccddeeff".repeat(2));
const OWNER: KeyOwner = { organizationId: "org", provider: "openai", configId: "config" };
const ACT = { actor: "system", nowMs: NOW_MS };

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

async function failure(opening: Promise<unknown>): Promise<unknown> {
  return opening.then(
    () => "it opened",
    (error: unknown) => error,
  );
}

async function seal(vault: Vault): Promise<string> {
  const { id } = await createOrganization(database.db, ACT, { name: "Acme", slug: "acme" });
  const row = { id: "config", organizationId: id, provider: "openai" as const };
  const sealedKey = await vault.sealProviderKey("sk-test", { ...OWNER, organizationId: id });
  const values = { baseUrl: null, euEndpoint: false, enabled: true, sealedKey };
  await saveProviderConfig(database.db, ACT, row, values);
  return id;
}

describe("Vault", () => {
  test("opens what it has sealed", async () => {
    const vault = await Vault.open(database.db, KEY, NOW_MS);
    const sealed = await vault.sealProviderKey("sk-test", OWNER);
    expect(sealed).not.toContain("sk-test");
    expect((await vault.openProviderKey(sealed, OWNER)).reveal()).toBe("sk-test");
  });

  test("a sealed key opens in its own row only", async () => {
    const vault = await Vault.open(database.db, KEY, NOW_MS);
    const owners: KeyOwner[] = [];
    for (const organizationId of ["org", "org2", "or"])
      for (const provider of PROVIDER_IDS)
        for (const configId of ["config", "config2"])
          owners.push({ organizationId, provider, configId });
    const sealed = await Promise.all(owners.map((owner) => vault.sealProviderKey("sk", owner)));
    for (const [from, text] of sealed.entries()) {
      for (const [to, owner] of owners.entries()) {
        const opened = await failure(vault.openProviderKey(text, owner));
        if (from === to) expect(opened).toBe("it opened");
        else expect(opened).toBeInstanceOf(UnreadableProviderKeyError);
      }
    }
  });

  const BROKEN = ["", "no base64!", "AAAA", Buffer.alloc(100).toString("base64")];
  test.each(BROKEN)("%p is unreadable, not a crash", async (sealed) => {
    const vault = await Vault.open(database.db, KEY, NOW_MS);
    expect(await failure(vault.openProviderKey(sealed, OWNER))).toBeInstanceOf(
      UnreadableProviderKeyError,
    );
  });

  test("every flipped bit makes a sealed key unreadable", async () => {
    const vault = await Vault.open(database.db, KEY, NOW_MS);
    const sealed = Buffer.from(await vault.sealProviderKey("sk-test", OWNER), "base64");
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const opening = vault.openProviderKey(changed.toString("base64"), OWNER);
      expect(await failure(opening)).toBeInstanceOf(UnreadableProviderKeyError);
    }
  });

  test("the error of an unreadable key names the row and no secret", async () => {
    const vault = await Vault.open(database.db, KEY, NOW_MS);
    const opening = vault.openProviderKey("AAAA", OWNER);
    await expect(opening).rejects.toThrow("that of provider config config is unreadable");
  });

  test("is needed with the same master key ever after", async () => {
    expect(await neededMasterKeyIds(database.db)).toEqual([]);
    const first = await Vault.open(database.db, KEY, NOW_MS);
    expect(first.keyId).toBe(Bun.SHA256.hash(KEY, "hex").slice(0, 8));
    expect(await neededMasterKeyIds(database.db)).toEqual([first.keyId]);
    const sealed = await first.sealProviderKey("sk-test", OWNER);
    const second = await Vault.open(database.db, KEY, NOW_MS + 1);
    expect((await second.openProviderKey(sealed, OWNER)).reveal()).toBe("sk-test");
    const rows = await database.db.selectFrom("master_keys").selectAll().execute();
    expect(rows).toHaveLength(1);
  });

  test("does not open with another master key, names both and writes nothing", async () => {
    const { keyId } = await Vault.open(database.db, KEY, NOW_MS);
    const before = await database.db.selectFrom("master_keys").selectAll().execute();
    const error = await failure(Vault.open(database.db, OTHER_KEY, NOW_MS));
    expect(error).toBeInstanceOf(WrongMasterKeyError);
    const offeredId = Bun.SHA256.hash(OTHER_KEY, "hex").slice(0, 8);
    expect(error).toMatchObject({ neededId: keyId, offeredId });
    expect(`${error}`).toContain(`needs master key ${keyId}, offered: ${offeredId}`);
    expect(await database.db.selectFrom("master_keys").selectAll().execute()).toEqual(before);
  });

  test("does not open if provider keys are sealed by a key that nobody knows", async () => {
    const { keyId } = await Vault.open(database.db, KEY, NOW_MS);
    await seal(await Vault.open(database.db, KEY, NOW_MS));
    await database.db.deleteFrom("master_keys").execute();
    const error = await failure(Vault.open(database.db, OTHER_KEY, NOW_MS));
    expect(error).toMatchObject({ neededId: keyId });
    expect(await neededMasterKeyIds(database.db)).toEqual([]);
  });

  test("a broken row does not keep the vault shut", async () => {
    const vault = await Vault.open(database.db, KEY, NOW_MS);
    await seal(vault);
    await database.db.updateTable("provider_configs").set({ sealed_key: "?" }).execute();
    expect((await Vault.open(database.db, KEY, NOW_MS)).keyId).toBe(vault.keyId);
  });

  test("a check value that was changed keeps the vault shut", async () => {
    await Vault.open(database.db, KEY, NOW_MS);
    const { check_value: value } = await database.db
      .selectFrom("master_keys")
      .selectAll()
      .executeTakeFirstOrThrow();
    const changed = Buffer.from(value, "base64");
    changed[40] = (changed[40] ?? 0) ^ 1;
    await database.db
      .updateTable("master_keys")
      .set({ check_value: changed.toString("base64") })
      .execute();
    const error = await failure(Vault.open(database.db, KEY, NOW_MS));
    expect(error).toBeInstanceOf(WrongMasterKeyError);
  });

  test("a key of another length is refused", async () => {
    await expect(Vault.open(database.db, new Uint8Array(16), NOW_MS)).rejects.toThrow(RangeError);
  });
});
