import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  type MasterKeyRotation,
  RotationRefusedError,
  STEP_ROWS_MAX,
} from "../../src/store/master_key_rotation.ts";
import { deleteProviderConfig } from "../../src/store/provider_configs.ts";
import { Vault } from "../../src/store/vault.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import {
  NEW_ID,
  NEW_KEY,
  OLD_ID,
  OLD_KEY,
  type OpenedVault,
  openVault,
  rowsByKey,
  saveKey,
  saveKeys,
  THIRD_KEY,
  unreadableRows,
} from "../support/master_keys.ts";
import { ACT, auditedActions, NOW_MS } from "../support/store.ts";

/** More than one step takes: 5 providers each. */
const ORGANIZATIONS = STEP_ROWS_MAX / 5 + 3;
const ROWS = ORGANIZATIONS * 5;

let database: TestDatabase;
let opened: OpenedVault;
beforeEach(async () => {
  database = await openTestDatabase();
  opened = await openVault(database, OLD_KEY);
  await saveKeys(database, opened.vault, ORGANIZATIONS);
});
afterEach(async () => {
  await opened.rotation.stop();
  await database.close();
});

const left = async (rotation: MasterKeyRotation) => (await rotation.state()).rowsLeft;

test("before a rotation there is nothing to do, and nothing to finish", async () => {
  const { rotation } = opened;
  expect(await rotation.state()).toEqual({ keyId: OLD_ID, previousKeyId: null, rowsLeft: 0 });
  expect(await rotation.step()).toBe(0);
  await rotation.finish(ACT);
  rotation.resume();
  expect(await rowsByKey(database)).toEqual({ [OLD_ID]: ROWS });
  expect(opened.logged).toEqual([]);
});

test("a rotation seals every row again by itself, and waits to be finished", async () => {
  const { rotation, vault, logged } = opened;
  await rotation.begin(NEW_KEY, ACT);
  expect(await rotation.state()).toMatchObject({ keyId: NEW_ID, previousKeyId: OLD_ID });
  await eventually(() => logged.join("").includes("every provider key is sealed by the new"));
  expect(await rotation.state()).toEqual({ keyId: NEW_ID, previousKeyId: OLD_ID, rowsLeft: 0 });
  expect(await rowsByKey(database)).toEqual({ [NEW_ID]: ROWS });
  expect(await unreadableRows(database, vault)).toEqual([]);
});

test("a step seals a part of the rows, and calls see them at once", async () => {
  const { rotation, vault, directory } = opened;
  const [row] = await database.db
    .selectFrom("provider_configs")
    .selectAll()
    .orderBy("id")
    .execute();
  const organizationId = row?.organization_id ?? "";
  const before = directory.organization(organizationId);
  await rotation.begin(NEW_KEY, ACT);
  await rotation.stop();
  const steps: number[] = [];
  while (steps.at(-1) !== 0) steps.push(await rotation.step());
  expect(steps.slice(0, -1).every((rows) => rows <= STEP_ROWS_MAX)).toBe(true);
  const after = directory.organization(organizationId);
  expect(after).not.toBe(before);
  expect(after.providers.get("anthropic")?.sealedKey).not.toBe(
    before.providers.get("anthropic")?.sealedKey,
  );
  expect(await unreadableRows(database, vault)).toEqual([]);
});

test("finishing seals what is left, forgets the old key and leaves no trace of what it sealed", async () => {
  const { rotation, vault, logged } = opened;
  const sealedBefore = await sealedKeys();
  await rotation.begin(NEW_KEY, ACT);
  await rotation.finish(ACT);
  expect(await rotation.state()).toEqual({ keyId: NEW_ID, previousKeyId: null, rowsLeft: 0 });
  expect(vault.ring.previous).toBeNull();
  expect(await rowsByKey(database)).toEqual({ [NEW_ID]: ROWS });
  expect(await unreadableRows(database, vault)).toEqual([]);
  const files = [database.path, `${database.path}-wal`].map((file) => readFileSync(file, "latin1"));
  expect(sealedBefore.filter((sealed) => files.some((file) => file.includes(sealed)))).toEqual([]);
  expect(vault.knows(sealedBefore[0] ?? "")).toBe(false);
  await expect(Vault.open(database.db, OLD_KEY, NOW_MS)).rejects.toThrow(NEW_ID);
  expect((await auditedActions(database)).slice(-2)).toEqual([
    ["master_key.rotate", { previous_key_id: OLD_ID }],
    ["master_key.finish", { previous_key_id: OLD_ID }],
  ]);
  expect(logged.join("")).toContain("master key rotation finished");
});

test("what a row says beside its key stays as it was", async () => {
  const columns = "id, provider, base_url, eu_endpoint, enabled, created_at_ms, updated_at_ms";
  const said = () => database.connection.query(`select ${columns} from provider_configs`).all();
  const before = said();
  await opened.rotation.begin(NEW_KEY, ACT);
  await opened.rotation.finish(ACT);
  expect(said()).toEqual(before);
});

describe("begin()", () => {
  test("with the same key again goes on, and changes nothing", async () => {
    const { rotation } = opened;
    await rotation.begin(NEW_KEY, ACT);
    await rotation.begin(NEW_KEY, ACT);
    await rotation.finish(ACT);
    await rotation.begin(NEW_KEY, ACT);
    expect(await rotation.state()).toEqual({ keyId: NEW_ID, previousKeyId: null, rowsLeft: 0 });
    const actions = (await auditedActions(database)).map(([action]) => action);
    expect(actions.filter((action) => action === "master_key.rotate")).toHaveLength(1);
  });

  test("with the old key goes back to it", async () => {
    const { rotation, vault } = opened;
    await rotation.begin(NEW_KEY, ACT);
    await rotation.step();
    await rotation.begin(OLD_KEY, ACT);
    await rotation.finish(ACT);
    expect(await rotation.state()).toEqual({ keyId: OLD_ID, previousKeyId: null, rowsLeft: 0 });
    expect(await rowsByKey(database)).toEqual({ [OLD_ID]: ROWS });
    expect(await unreadableRows(database, vault)).toEqual([]);
  });

  test("with a key that the process was started with long ago does not finish by itself", async () => {
    const { rotation, vault, logged } = opened;
    await rotation.begin(NEW_KEY, ACT);
    await rotation.finish(ACT);
    logged.length = 0;
    await rotation.begin(OLD_KEY, ACT);
    await eventually(() => logged.join("").includes("every provider key is sealed by the new"));
    expect(await rotation.state()).toEqual({ keyId: OLD_ID, previousKeyId: NEW_ID, rowsLeft: 0 });
    expect(vault.openedWith).toBe(OLD_ID);
  });

  test("with a third key is refused while a rotation is unfinished, and names the two", async () => {
    const { rotation } = opened;
    await rotation.begin(NEW_KEY, ACT);
    const third = rotation.begin(THIRD_KEY, ACT);
    await expect(third).rejects.toBeInstanceOf(RotationRefusedError);
    await expect(third).rejects.toThrow(`from ${OLD_ID} to ${NEW_ID} is not finished`);
  });

  test("of two that begin together one is refused, and the database has one new key", async () => {
    const { rotation, vault } = opened;
    const both = await Promise.allSettled([
      rotation.begin(NEW_KEY, ACT),
      rotation.begin(THIRD_KEY, ACT),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(database.connection.query("select id from master_keys").all()).toHaveLength(2);
    await rotation.finish(ACT);
    expect(await unreadableRows(database, vault)).toEqual([]);
  });

  test("with a key of another length is refused", async () => {
    await expect(opened.rotation.begin(new Uint8Array(16), ACT)).rejects.toThrow(RangeError);
  });
});

describe("resume()", () => {
  beforeEach(async () => {
    await opened.rotation.begin(NEW_KEY, ACT);
    await opened.rotation.stop();
    expect(await left(opened.rotation)).toBeGreaterThan(0);
  });

  test("with the old key seals every row again, does not finish, and says what to do", async () => {
    const { rotation, vault, logged } = await openVault(database, OLD_KEY);
    rotation.resume();
    await eventually(() => logged.join("").includes("every provider key is sealed by the new"));
    expect(await rotation.state()).toEqual({ keyId: NEW_ID, previousKeyId: OLD_ID, rowsLeft: 0 });
    expect(await unreadableRows(database, vault)).toEqual([]);
    expect(logged.join("")).toContain('"level":"warn"');
    expect(logged.join("")).toContain("master-key rotate");
  });

  test("with the new key seals every row again and finishes", async () => {
    const { rotation, vault, logged } = await openVault(database, NEW_KEY);
    rotation.resume();
    await eventually(() => logged.join("").includes("master key rotation finished"));
    expect(await rotation.state()).toEqual({ keyId: NEW_ID, previousKeyId: null, rowsLeft: 0 });
    expect(await unreadableRows(database, vault)).toEqual([]);
    expect(logged.join("")).not.toContain('"level":"warn"');
  });
});

describe("while a rotation runs", () => {
  test("keys that are saved and deleted meanwhile are neither lost nor brought back", async () => {
    const { rotation, vault } = opened;
    const rows = await database.db.selectFrom("provider_configs").selectAll().execute();
    await rotation.begin(NEW_KEY, ACT);
    const changes = rows.map(async ({ organization_id: organizationId, provider }, index) => {
      if (index % 3 === 0) await saveKey(database, vault, organizationId, provider);
      if (index % 3 === 1)
        await database.db
          .transaction()
          .execute((tx) => deleteProviderConfig(tx, ACT, organizationId, provider));
    });
    await Promise.all([...changes, rotation.finish(ACT)]);
    const deleted = rows.filter((_, index) => index % 3 === 1).length;
    expect(await rowsByKey(database)).toEqual({ [NEW_ID]: ROWS - deleted });
    expect(await unreadableRows(database, vault)).toEqual([]);
  });

  test("a key that was sealed before it and is stored after the last step is sealed again", async () => {
    const { rotation, vault } = opened;
    const { organization_id: organizationId } = await database.db
      .selectFrom("provider_configs")
      .selectAll()
      .executeTakeFirstOrThrow();
    const owner = { organizationId, provider: "openai", configId: `openai-${organizationId}` };
    const sealed = await vault.sealProviderKey(`sk-${owner.configId}`, owner as never);
    await rotation.begin(NEW_KEY, ACT);
    while ((await rotation.step()) > 0);
    expect(vault.knows(sealed)).toBe(true);
    await saveKey(database, { sealProviderKey: async () => sealed }, organizationId, "openai");
    expect(await left(rotation)).toBe(1);
    await rotation.finish(ACT);
    expect(await unreadableRows(database, vault)).toEqual([]);
    // Once the old key is forgotten, what it sealed cannot be stored any more.
    expect(vault.knows(sealed)).toBe(false);
    await expect(
      saveKey(database, { sealProviderKey: async () => sealed }, organizationId, "openai"),
    ).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_FOREIGNKEY" });
  });

  test("a row that does not open is set aside and does not stop it", async () => {
    const { rotation, vault, logged } = opened;
    const [broken, other] = await database.db.selectFrom("provider_configs").selectAll().execute();
    await database.db
      .updateTable("provider_configs")
      .set({ sealed_key: other?.sealed_key ?? "" })
      .where("id", "=", broken?.id ?? "")
      .execute();
    await rotation.begin(NEW_KEY, ACT);
    await rotation.finish(ACT);
    expect(await rowsByKey(database)).toEqual({ [NEW_ID]: ROWS - 1, null: 1 });
    expect(await unreadableRows(database, vault)).toEqual([broken?.id ?? ""]);
    expect(logged.join("")).toContain("unreadable and must be entered again");
    expect((await auditedActions(database)).map(([action]) => action)).toContain(
      "provider_config.unreadable",
    );
  });

  test("a failing database is waited for", async () => {
    const { rotation, logged } = opened;
    database.connection.run(
      "create trigger failing before update of sealed_key on provider_configs begin select raise(abort, 'no'); end",
    );
    await rotation.begin(NEW_KEY, ACT);
    await eventually(() => logged.join("").includes("cannot seal provider keys again"));
    expect(await left(rotation)).toBe(ROWS);
    database.connection.run("drop trigger failing");
    await eventually(() => logged.join("").includes("every provider key is sealed by the new"));
    expect(await left(rotation)).toBe(0);
  });
});

async function sealedKeys(): Promise<string[]> {
  const rows = await database.db.selectFrom("provider_configs").select("sealed_key").execute();
  return rows.map((row) => row.sealed_key);
}
