import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createLog } from "../../src/std/log.ts";
import { Erasure } from "../../src/store/erasure.ts";
import { deleteProviderConfig, saveProviderConfig } from "../../src/store/provider_configs.ts";
import { truncateLog } from "../../src/store/truncate_log.ts";
import { eventually } from "../support/eventually.ts";
import { ACT, withOrganizations } from "../support/store.ts";

const SEALED = "c2VhbGVkLWtleS1jYW5hcnk=".repeat(4);
const VALUES = { baseUrl: null, euEndpoint: false, enabled: true, sealedKey: SEALED };

const logTo = (lines: string[]) =>
  createLog({ level: "debug", human: false, nowMs: () => 0, write: (line) => lines.push(line) });

test(
  "what was deleted is erased at once where nobody else reads",
  withOrganizations(async ({ db, path }, organizationId) => {
    const lines: string[] = [];
    const row = { id: "config", organizationId, provider: "openai" as const };
    await saveProviderConfig(db, ACT, row, VALUES);
    await truncateLog(db);
    await deleteProviderConfig(db, ACT, organizationId, "openai");
    await new Erasure(db, logTo(lines)).erase();
    expect(traces(path)).toEqual([]);
    expect(lines).toEqual([]);
  }),
);

test(
  "what was deleted is erased as soon as another reader of the database has ended",
  withOrganizations(async ({ db, path }, organizationId) => {
    const lines: string[] = [];
    const row = { id: "config", organizationId, provider: "openai" as const };
    await saveProviderConfig(db, ACT, row, VALUES);
    const reader = new Database(path, { readonly: true });
    reader.run("begin");
    expect(reader.query("select sealed_key from provider_configs").values()).toEqual([[SEALED]]);
    await deleteProviderConfig(db, ACT, organizationId, "openai");
    const erasure = new Erasure(db, logTo(lines), 1);
    await erasure.erase();
    expect(traces(path)).not.toEqual([]);
    expect(lines.join("")).toContain("another process");
    reader.run("rollback");
    await eventually(() => traces(path).length === 0);
    reader.close();
    erasure.stop();
  }),
);

test(
  "an erasure that was stopped leaves the database alone",
  withOrganizations(async ({ db, path }, organizationId) => {
    const row = { id: "config", organizationId, provider: "openai" as const };
    await saveProviderConfig(db, ACT, row, VALUES);
    await deleteProviderConfig(db, ACT, organizationId, "openai");
    const before = traces(path);
    expect(before).not.toEqual([]);
    const erasure = new Erasure(db, logTo([]), 1);
    erasure.stop();
    await erasure.erase();
    expect(traces(path)).toEqual(before);
  }),
);

/** Returns the files of a database that hold the sealed key. */
function traces(path: string): string[] {
  return [path, `${path}-wal`].filter((file) => readFileSync(file).includes(SEALED));
}
