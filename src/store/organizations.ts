import { sql } from "kysely";
import type { Role } from "../domain/organization.ts";
import { uuid7 } from "../std/uuid7.ts";
import { type Act, recordAuditEvent } from "./audit.ts";
import type { Db, NewRow, Row } from "./tables.ts";

/** An organization as one of its members sees it. */
export type OrganizationOfMember = Row<"organizations"> & { readonly role: Role };

/** Returns the organizations that a user is a member of, oldest first. */
export function listOrganizations(db: Db, userId: string): Promise<OrganizationOfMember[]> {
  return ofMember(db, userId)
    .orderBy("organizations.created_at_ms")
    .orderBy("organizations.id")
    .execute();
}

/** Returns an organization and the user's role in it; undefined if there is none or the user is no member. */
export function findOrganization(
  db: Db,
  userId: string,
  organizationId: string,
): Promise<OrganizationOfMember | undefined> {
  return ofMember(db, userId).where("organizations.id", "=", organizationId).executeTakeFirst();
}

/** Returns every organization, oldest first, each as its owner would see it. */
export function listOrganizationsAsOperator(db: Db): Promise<OrganizationOfMember[]> {
  return asOperator(db).orderBy("created_at_ms").orderBy("id").execute();
}

/** Returns an organization as its owner would see it, or undefined if there is none. */
export function findOrganizationAsOperator(
  db: Db,
  organizationId: string,
): Promise<OrganizationOfMember | undefined> {
  return asOperator(db).where("id", "=", organizationId).executeTakeFirst();
}

/** Finds an organization by its slug. */
export function findOrganizationBySlug(
  db: Db,
  slug: string,
): Promise<Row<"organizations"> | undefined> {
  return db.selectFrom("organizations").selectAll().where("slug", "=", slug).executeTakeFirst();
}

/** Creates an organization. @throws {SQLiteError} If the slug is taken. */
export async function createOrganization(
  db: Db,
  act: Act,
  { name, slug }: { readonly name: string; readonly slug: string },
): Promise<Row<"organizations">> {
  const row = {
    id: uuid7(act.nowMs),
    name,
    slug,
    is_personal: 0,
    created_at_ms: act.nowMs,
  } satisfies NewRow<"organizations">;
  await db.insertInto("organizations").values(row).execute();
  await recordAuditEvent(db, act, {
    organizationId: row.id,
    action: "organization.create",
    target: row.id,
    detail: { name, slug },
  });
  return row;
}

function asOperator(db: Db) {
  return db.selectFrom("organizations").selectAll().select(sql.lit<Role>("owner").as("role"));
}

function ofMember(db: Db, userId: string) {
  return db
    .selectFrom("organizations")
    .innerJoin("memberships", "memberships.organization_id", "organizations.id")
    .where("memberships.user_id", "=", userId)
    .selectAll("organizations")
    .select("memberships.role");
}
