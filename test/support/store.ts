import { createOrganization } from "../../src/store/organizations.ts";
import { openTestDatabase, type TestDatabase } from "./database.ts";

export const NOW_MS = Date.UTC(2026, 5, 15, 12);

/** Whoever changes something in tests of the store. */
export const ACT = { actor: "ali", address: "192.0.2.1", nowMs: NOW_MS };

/** Runs a test on a database with two organizations. */
export function withOrganizations(
  body: (
    database: TestDatabase,
    organizationId: string,
    otherOrganizationId: string,
  ) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const database = await openTestDatabase();
    try {
      const acme = await createOrganization(database.db, ACT, { name: "Acme", slug: "acme" });
      const other = await createOrganization(database.db, ACT, { name: "Other", slug: "other" });
      await body(database, acme.id, other.id);
    } finally {
      await database.close();
    }
  };
}

/** Returns what was written down about changes: action and detail, in order. */
export async function auditedActions(database: TestDatabase): Promise<[string, unknown][]> {
  const rows = await database.db
    .selectFrom("audit_events")
    .select(["action", "detail"])
    .where("action", "!=", "organization.create")
    .orderBy("id")
    .execute();
  return rows.map((row): [string, unknown] => [row.action, JSON.parse(row.detail)]);
}
