import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { deleteProviderConfig, saveProviderConfig } from "../../src/store/provider_configs.ts";
import { truncateLog } from "../../src/store/truncate_log.ts";
import { ACT, withOrganizations } from "../support/store.ts";

test(
  "a deleted sealed key is in neither the database file nor its log",
  withOrganizations(async ({ db, path }, organizationId) => {
    const sealedKey = "c2VhbGVkLWtleS1jYW5hcnk=".repeat(4);
    const row = { id: "config", organizationId, provider: "openai" as const };
    const values = { baseUrl: null, euEndpoint: false, enabled: true, sealedKey };
    const traces = () =>
      [path, `${path}-wal`].filter((file) => readFileSync(file).includes(sealedKey));
    await saveProviderConfig(db, ACT, row, values);
    await truncateLog(db);
    expect(traces()).toEqual([path]);
    await deleteProviderConfig(db, ACT, organizationId, "openai");
    expect(traces()).not.toEqual([]);
    await truncateLog(db);
    expect(traces()).toEqual([]);
    expect(statSync(`${path}-wal`).size).toBe(0);
  }),
);
