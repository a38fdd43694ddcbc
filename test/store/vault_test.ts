import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { WrongMasterKeyError } from "../../src/store/master_key_ring.ts";
import { type KeyOwner, UnreadableProviderKeyError, Vault } from "../../src/store/vault.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  NEW_ID,
  NEW_KEY,
  OLD_ID,
  OLD_KEY,
  openVault,
  saveKeys,
  THIRD_KEY,
  unreadableRows,
} from "../support/master_keys.ts";
import { ACT, NOW_MS } from "../support/store.ts";

const OWNER: KeyOwner = { organizationId: "org", provider: "openai", configId: "config" };

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

describe("Vault", () => {
  test("opens what it has sealed", async () => {
    const vault = await Vault.open(database.db, OLD_KEY, NOW_MS);
    const sealed = await vault.sealProviderKey("sk-test", OWNER);
    expect(sealed).not.toContain("sk-test");
    expect((await vault.openProviderKey(sealed, OWNER)).reveal()).toBe("sk-test");
  });

  const BROKEN = ["", "no base64!", "AAAA", Buffer.alloc(100).toString("base64")];
  test.each(BROKEN)("%p is unreadable, not a crash", async (sealed) => {
    const vault = await Vault.open(database.db, OLD_KEY, NOW_MS);
    expect(vault.knows(sealed)).toBe(false);
    expect(await failure(vault.openProviderKey(sealed, OWNER))).toBeInstanceOf(
      UnreadableProviderKeyError,
    );
  });

  test("the error of an unreadable key names the row and no secret", async () => {
    const vault = await Vault.open(database.db, OLD_KEY, NOW_MS);
    const opening = vault.openProviderKey("AAAA", OWNER);
    await expect(opening).rejects.toThrow("that of provider config config is unreadable");
  });

  test("opens again with the same master key", async () => {
    const first = await Vault.open(database.db, OLD_KEY, NOW_MS);
    expect([first.keyId, first.openedWith]).toEqual([OLD_ID, OLD_ID]);
    const sealed = await first.sealProviderKey("sk-test", OWNER);
    const second = await Vault.open(database.db, OLD_KEY, NOW_MS + 1);
    expect((await second.openProviderKey(sealed, OWNER)).reveal()).toBe("sk-test");
    expect(second.knows(sealed)).toBe(true);
  });

  test("a broken row does not keep the vault shut", async () => {
    const vault = await Vault.open(database.db, OLD_KEY, NOW_MS);
    await saveKeys(database, vault, 1);
    await database.db.updateTable("provider_configs").set({ sealed_key: "?" }).execute();
    expect((await Vault.open(database.db, OLD_KEY, NOW_MS)).keyId).toBe(vault.keyId);
  });

  test("a key of another length is refused", async () => {
    await expect(Vault.open(database.db, new Uint8Array(16), NOW_MS)).rejects.toThrow(RangeError);
  });
});

describe("while a rotation is unfinished, the vault", () => {
  beforeEach(async () => {
    const { vault, rotation } = await openVault(database, OLD_KEY);
    await saveKeys(database, vault, 30);
    await rotation.begin(NEW_KEY, ACT);
    await rotation.stop();
  });

  for (const [name, key, id] of [
    ["old", OLD_KEY, OLD_ID],
    ["new", NEW_KEY, NEW_ID],
  ] as const)
    test(`opens with the ${name} key, reads every row, and seals with the new one`, async () => {
      const vault = await Vault.open(database.db, key, NOW_MS);
      expect([vault.keyId, vault.openedWith, vault.ring.previous?.id]).toEqual([
        NEW_ID,
        id,
        OLD_ID,
      ]);
      expect(await unreadableRows(database, vault)).toEqual([]);
      const sealed = Buffer.from(await vault.sealProviderKey("sk", OWNER), "base64");
      expect(sealed.subarray(1, 5).toString("hex")).toBe(NEW_ID);
    });

  test("does not open with a third key, which learns both ids", async () => {
    const error = await failure(Vault.open(database.db, THIRD_KEY, NOW_MS));
    expect(error).toBeInstanceOf(WrongMasterKeyError);
    expect(error).toMatchObject({ neededIds: [OLD_ID, NEW_ID] });
  });
});
