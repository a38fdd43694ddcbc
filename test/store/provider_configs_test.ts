import { expect, test } from "bun:test";
import {
  deleteProviderConfig,
  findProviderConfig,
  listProviderConfigs,
  saveProviderConfig,
} from "../../src/store/provider_configs.ts";
import { ACT, auditedActions, NOW_MS, withOrganizations } from "../support/store.ts";

const VALUES = { baseUrl: null, euEndpoint: false, enabled: true, sealedKey: "sealed-1" };

test(
  "a config is created, then replaced in place",
  withOrganizations(async (database, organizationId) => {
    const { db } = database;
    const row = { id: "config", organizationId, provider: "openai" as const };
    await saveProviderConfig(db, ACT, row, VALUES);
    const later = { ...ACT, nowMs: NOW_MS + 5 };
    const changed = { ...VALUES, baseUrl: "https://gateway", euEndpoint: true, enabled: false };
    const saved = await saveProviderConfig(db, later, row, changed);
    expect(saved).toEqual({
      id: "config",
      organization_id: organizationId,
      provider: "openai",
      base_url: "https://gateway",
      eu_endpoint: 1,
      enabled: 0,
      sealed_key: "sealed-1",
      master_key_id: null,
      created_at_ms: NOW_MS,
      updated_at_ms: NOW_MS + 5,
    });
    expect(await findProviderConfig(db, organizationId, "openai")).toEqual(saved);
    await saveProviderConfig(db, later, row, { ...changed, sealedKey: "sealed-2" });
    expect(await auditedActions(database)).toEqual([
      [
        "provider_config.create",
        {
          provider: "openai",
          base_url: null,
          eu_endpoint: false,
          enabled: true,
          provider_key_changed: true,
        },
      ],
      [
        "provider_config.replace",
        {
          provider: "openai",
          base_url: { before: null, after: "https://gateway" },
          eu_endpoint: { before: false, after: true },
          enabled: { before: true, after: false },
          provider_key_changed: false,
        },
      ],
      ["provider_config.replace", { provider: "openai", provider_key_changed: true }],
    ]);
  }),
);

test(
  "an organization has one config per provider",
  withOrganizations(async ({ db }, organizationId) => {
    const row = { id: "config", organizationId, provider: "openai" as const };
    await saveProviderConfig(db, ACT, row, VALUES);
    const second = saveProviderConfig(db, ACT, { ...row, id: "config2" }, VALUES);
    await expect(second).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_UNIQUE" });
  }),
);

test(
  "configs are listed and deleted within their organization",
  withOrganizations(async (database, organizationId, other) => {
    const { db } = database;
    for (const [id, owner, provider] of [
      ["a", organizationId, "openai"],
      ["b", organizationId, "groq"],
      ["c", other, "openai"],
    ] as const)
      await saveProviderConfig(db, ACT, { id, organizationId: owner, provider }, VALUES);
    const ids = async (owner: string) =>
      (await listProviderConfigs(db, owner)).map((row) => row.id);
    expect(await ids(organizationId)).toEqual(["b", "a"]);
    expect(await deleteProviderConfig(db, ACT, organizationId, "openai")).toBe(true);
    expect(await deleteProviderConfig(db, ACT, organizationId, "openai")).toBe(false);
    expect(await ids(organizationId)).toEqual(["b"]);
    expect(await ids(other)).toEqual(["c"]);
    expect((await auditedActions(database)).at(-1)).toEqual([
      "provider_config.delete",
      { provider: "openai", base_url: null, eu_endpoint: false, enabled: true },
    ]);
  }),
);
