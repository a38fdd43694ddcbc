import { Database } from "bun:sqlite";
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

test(
  "while another connection reads, the log is left as it is and nobody waits; afterwards it is emptied",
  withOrganizations(async ({ db, path, connection }) => {
    const reader = new Database(path, { readonly: true });
    reader.run("begin");
    expect(reader.query("select count(*) from organizations").values()).toEqual([[2]]);
    connection.run("create table notes (text text)");
    expect(await truncateLog(db)).toBe(false);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    expect(connection.query("pragma busy_timeout").values()).toEqual([[50]]);
    connection.run("insert into notes values ('written meanwhile')");
    reader.run("rollback");
    // A reader that is open, but in no transaction, is in nobody's way.
    expect(await truncateLog(db)).toBe(true);
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect(reader.query("select text from notes").values()).toEqual([["written meanwhile"]]);
    reader.close();
  }),
);
