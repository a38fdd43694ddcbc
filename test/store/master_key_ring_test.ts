import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { MasterKey } from "../../src/store/master_key_crypto.ts";
import {
  addNextKey,
  DamagedKeyRingError,
  dropPreviousKey,
  type KeyRing,
  KeyRingChangedError,
  neededMasterKeyIds,
  openKeyRing,
  prepareNextKey,
  turnBack,
  WrongMasterKeyError,
} from "../../src/store/master_key_ring.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  NEW_ID,
  NEW_KEY,
  OLD_ID,
  OLD_KEY,
  openVault,
  saveKeys,
  THIRD_ID,
  THIRD_KEY,
} from "../support/master_keys.ts";
import { ACT, auditedActions, NOW_MS } from "../support/store.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

const old = await MasterKey.import(OLD_KEY);
const next = await MasterKey.import(NEW_KEY);
const third = await MasterKey.import(THIRD_KEY);

const open = (key: MasterKey) => openKeyRing(database.db, key, NOW_MS);
const rows = () => database.connection.query("select * from master_keys order by id").all();
const ids = ({ primary, previous }: KeyRing) => [primary.id, previous?.id ?? null];

async function failure(opening: Promise<unknown>): Promise<unknown> {
  return opening.then(
    () => "it opened",
    (error: unknown) => error,
  );
}

/** Makes the new key follow the old one. */
async function rotated(): Promise<KeyRing & { readonly previous: MasterKey }> {
  const ring = await open(old);
  await addNextKey(database.db, ring, await prepareNextKey(ring, next), ACT);
  return { primary: next, previous: old };
}

describe("a database with one master key", () => {
  test("needs the first that it met ever after", async () => {
    expect(await neededMasterKeyIds(database.db)).toEqual([]);
    expect(ids(await open(old))).toEqual([OLD_ID, null]);
    expect(await neededMasterKeyIds(database.db)).toEqual([OLD_ID]);
    const before = rows();
    expect(ids(await open(old))).toEqual([OLD_ID, null]);
    expect(rows()).toEqual(before);
  });

  test("does not open with another, names both and is not changed", async () => {
    await open(old);
    const before = rows();
    const error = await failure(open(next));
    expect(error).toBeInstanceOf(WrongMasterKeyError);
    expect(error).toMatchObject({ neededIds: [OLD_ID], offeredId: NEW_ID });
    expect(`${error}`).toContain(`needs master key ${OLD_ID}, offered: ${NEW_ID}`);
    expect(rows()).toEqual(before);
  });

  test("does not open with a key that only shares the id", async () => {
    await open(old);
    database.connection.run("pragma foreign_keys = off");
    database.connection.run("update master_keys set id = ?", [NEW_ID]);
    const error = await failure(open(next));
    expect(`${error}`).toContain("only shares its id");
  });

  test("does not open if its check value was changed", async () => {
    await open(old);
    database.connection.run("update master_keys set check_value = replace(check_value, 'A', 'B')");
    database.connection.run("update master_keys set check_value = substr(check_value, 5)");
    expect(await failure(open(old))).toBeInstanceOf(WrongMasterKeyError);
  });

  test("takes no first key while something is sealed by one that it does not list", async () => {
    const { vault } = await openVault(database, OLD_KEY);
    await saveKeys(database, vault, 1);
    database.connection.run("pragma foreign_keys = off");
    database.connection.run("delete from master_keys");
    expect(await failure(open(next))).toMatchObject({ neededIds: [OLD_ID], offeredId: NEW_ID });
    expect(await neededMasterKeyIds(database.db)).toEqual([]);
  });
});

describe("a database with two master keys", () => {
  test("opens with either, and is the same", async () => {
    await rotated();
    const before = rows();
    for (const key of [old, next]) {
      const ring = await open(key);
      expect(ids(ring)).toEqual([NEW_ID, OLD_ID]);
      expect(ring.primary.isSameAs(next)).toBe(true);
      expect(ring.previous?.isSameAs(old)).toBe(true);
    }
    expect(rows()).toEqual(before);
  });

  test("does not open with a third, and names both", async () => {
    await rotated();
    const error = await failure(open(third));
    expect(error).toMatchObject({ neededIds: [OLD_ID, NEW_ID], offeredId: THIRD_ID });
  });

  test("can turn back, and opens with either still", async () => {
    const back = await turnBack(database.db, await rotated(), ACT);
    expect(ids(back)).toEqual([OLD_ID, NEW_ID]);
    for (const key of [old, next]) expect(ids(await open(key))).toEqual([OLD_ID, NEW_ID]);
  });

  test("forgets the previous one, and then opens with the new one only", async () => {
    const left = await dropPreviousKey(database.db, await rotated(), ACT);
    expect(ids(left)).toEqual([NEW_ID, null]);
    expect(ids(await open(next))).toEqual([NEW_ID, null]);
    expect(await failure(open(old))).toMatchObject({ neededIds: [NEW_ID] });
    expect(rows()).toMatchObject([{ id: NEW_ID, is_primary: 1, wrapped_key: null }]);
  });

  test("cannot forget one that something is sealed by", async () => {
    const { vault } = await openVault(database, OLD_KEY);
    await saveKeys(database, vault, 1);
    const dropped = dropPreviousKey(database.db, await rotated(), ACT);
    await expect(dropped).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_FOREIGNKEY" });
  });

  test("writes down who changed the keys, and no secret", async () => {
    await turnBack(database.db, await rotated(), ACT);
    const ring = { primary: old, previous: next };
    await dropPreviousKey(database.db, ring, ACT);
    expect(await auditedActions(database)).toEqual([
      ["master_key.rotate", { previous_key_id: OLD_ID }],
      ["master_key.rotate", { previous_key_id: NEW_ID }],
      ["master_key.finish", { previous_key_id: NEW_ID }],
    ]);
  });

  const DAMAGE: [name: string, statement: string][] = [
    ["a wrapped key that was changed", "update master_keys set wrapped_key = 'AAAA'"],
    ["a wrapped key that is gone", "update master_keys set wrapped_key = null"],
    ["two primary keys", "update master_keys set is_primary = 1"],
    ["no primary key", "update master_keys set is_primary = 0"],
    [
      "a third row",
      "insert into master_keys (id, check_value, is_primary, created_at_ms) values ('x', '', 0, 0)",
    ],
  ];
  test.each(DAMAGE)("does not open after damage: %s", async (_, statement) => {
    await rotated();
    database.connection.run(statement);
    for (const key of [old, next])
      expect(await failure(open(key))).toBeInstanceOf(DamagedKeyRingError);
  });
});

test("where one of two wrapped keys was changed, the key that it was of opens the database still", async () => {
  await rotated();
  database.connection.run("update master_keys set wrapped_key = 'AAAA' where id = ?", [OLD_ID]);
  expect(await failure(open(next))).toBeInstanceOf(DamagedKeyRingError);
  expect(ids(await open(old))).toEqual([NEW_ID, OLD_ID]);
});

describe("a change of keys that was decided on other keys", () => {
  test("is refused, and changes nothing", async () => {
    const before = await open(old);
    const prepared = await prepareNextKey(before, third);
    const ring = await rotated();
    const stored = rows();
    const stale = [
      addNextKey(database.db, before, prepared, ACT),
      turnBack(database.db, { primary: old, previous: next }, ACT),
      dropPreviousKey(database.db, { primary: old, previous: next }, ACT),
      dropPreviousKey(database.db, { primary: next, previous: third }, ACT),
    ];
    for (const change of stale) expect(await failure(change)).toBeInstanceOf(KeyRingChangedError);
    expect(rows()).toEqual(stored);
    await dropPreviousKey(database.db, ring, ACT);
    expect(await failure(turnBack(database.db, ring, ACT))).toBeInstanceOf(KeyRingChangedError);
  });
});
