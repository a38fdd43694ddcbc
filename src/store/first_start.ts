import { SQL } from "./asked_at_start.ts";
import { systemAct } from "./audit.ts";
import { addMember } from "./memberships.ts";
import { createOrganization } from "./organizations.ts";
import { rowsOf } from "./rows_of.ts";
import type { Db, Row } from "./tables.ts";
import { createUser } from "./users.ts";

export interface FirstOrganization {
  readonly organization: Row<"organizations">;
  readonly user: Row<"users">;
}

/** Whether nobody has used this database: it has neither organizations nor users. */
export async function isFirstStart(db: Db): Promise<boolean> {
  const organizations = await rowsOf(db, SQL.anyOrganization);
  const users = await rowsOf(db, SQL.anyUser);
  return organizations.length === 0 && users.length === 0;
}

/**
 * Creates the organization `default` and its owner `admin`, so that somebody can sign in. The caller owns the
 * transaction.
 *
 * @returns What was created, or null if the database is not empty.
 */
export async function ensureFirstOrganization(
  db: Db,
  { passwordHash, nowMs }: { readonly passwordHash: string; readonly nowMs: number },
): Promise<FirstOrganization | null> {
  if (!(await isFirstStart(db))) return null;
  const act = systemAct(nowMs);
  const organization = await createOrganization(db, act, { name: "default", slug: "default" });
  const user = await createUser(db, act, { name: "admin", passwordHash });
  await addMember(db, act, { organizationId: organization.id, userId: user.id, role: "owner" });
  return { organization, user };
}
