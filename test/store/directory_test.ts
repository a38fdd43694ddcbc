import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Directory } from "../../src/store/directory.ts";
import { createInferenceKey, revokeInferenceKey } from "../../src/store/inference_keys.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { saveProviderConfig } from "../../src/store/provider_configs.ts";
import { saveSettings } from "../../src/store/settings.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { ACT, NOW_MS } from "../support/store.ts";

let database: TestDatabase;
let directory: Directory;
let organizationId: string;
beforeEach(async () => {
  database = await openTestDatabase();
  directory = new Directory(database);
  organizationId = (await createOrganization(database.db, ACT, { name: "Acme", slug: "acme" })).id;
});
afterEach(() => database.close());

const createKey = (hash: string) =>
  createInferenceKey(database.db, ACT, {
    organizationId,
    name: "app",
    prefix: "fdb-inf-abcd",
    hash,
    monthlyTokenLimit: 1_000,
    rateLimitRpm: 60,
  });

const saveConfig = (enabled: boolean) =>
  saveProviderConfig(
    database.db,
    ACT,
    { id: "config", organizationId, provider: "openai" },
    { baseUrl: "https://api.openai.com/v1", euEndpoint: true, enabled, sealedKey: "c2VhbGVk" },
  );

describe("a key", () => {
  test("is found by its hash, and by no other", async () => {
    const { id } = await createKey("hash-1");
    expect(directory.key("hash-1")).toEqual({
      id,
      organizationId,
      prefix: "fdb-inf-abcd",
      active: true,
      monthlyTokenLimit: 1_000,
      rateLimitRpm: 60,
    });
    expect(directory.key("hash-2")).toBeNull();
    expect(directory.key("")).toBeNull();
  });

  test("that was not there is found once it is", async () => {
    expect(directory.key("hash-1")).toBeNull();
    await createKey("hash-1");
    expect(directory.key("hash-1")).not.toBeNull();
  });

  test("is as it was until the directory is told to forget it, and then as its row is", async () => {
    const { id } = await createKey("hash-1");
    const before = directory.key("hash-1");
    await revokeInferenceKey(database.db, ACT, organizationId, id);
    expect(directory.key("hash-1")).toBe(before);
    directory.forgetKey(id);
    expect(directory.key("hash-1")).toMatchObject({ id, active: false });
  });

  test("that is suspended is found, and is not active", async () => {
    await createKey("hash-1");
    database.connection.run("update inference_keys set status = 'suspended'");
    expect(directory.key("hash-1")?.active).toBe(false);
  });

  test("that nobody asked for can be forgotten", () => {
    expect(() => directory.forgetKey("unknown")).not.toThrow();
  });
});

describe("an organization", () => {
  test("without settings and provider configs has neither", () => {
    expect(directory.organization(organizationId)).toMatchObject({
      id: organizationId,
      settings: null,
      providers: new Map(),
    });
    expect(directory.organization("nobody").settings).toBeNull();
  });

  test("has its settings and its provider configs, the key still sealed", async () => {
    const values = { euOnly: true, monthlyCostLimitCents: 5, circuitOpenedAtMs: null };
    await saveSettings(database.db, ACT, organizationId, values);
    await saveConfig(false);
    const { settings, providers } = directory.organization(organizationId);
    expect(settings).toEqual({ euOnly: true });
    expect([...providers]).toEqual([
      [
        "openai",
        {
          id: "config",
          provider: "openai",
          baseUrl: "https://api.openai.com/v1",
          euEndpoint: true,
          enabled: false,
          sealedKey: "c2VhbGVk",
          organizationId,
          createdAtMs: NOW_MS,
        },
      ],
    ]);
  });

  test("is as it was until the directory is told to forget it, and then as its rows are", async () => {
    const other = directory.organization("other");
    const before = directory.organization(organizationId);
    await saveConfig(true);
    expect(directory.organization(organizationId)).toBe(before);
    directory.forgetOrganization(organizationId);
    expect(directory.organization(organizationId).providers.get("openai")?.enabled).toBe(true);
    expect(directory.organization("other")).toBe(other);
  });
});

test("an organization is called by its slug, and one without a row by its id", () => {
  expect(directory.slug(organizationId)).toBe("acme");
  expect(directory.slug("nobody")).toBe("nobody");
});
