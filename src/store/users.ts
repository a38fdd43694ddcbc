import type { Role } from "../domain/organization.ts";
import { uuid7 } from "../std/uuid7.ts";
import { type Act, recordAuditEvent } from "./audit.ts";
import { removeMemberships } from "./memberships.ts";
import type { Db, Row } from "./tables.ts";

/** Finds a user by the folded name. */
export function findUser(db: Db, name: string): Promise<Row<"users"> | undefined> {
  return db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
}

/** A user, and the organizations that the user is a member of. */
export interface UserWithMemberships {
  readonly id: string;
  readonly name: string;
  readonly created_at_ms: number;
  readonly memberships: readonly { readonly slug: string; readonly role: Role }[];
}

/** Finds a user by id. */
export function findUserById(db: Db, id: string): Promise<Row<"users"> | undefined> {
  return db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Returns every user by name. */
export async function listUsers(db: Db): Promise<UserWithMemberships[]> {
  const users = await db
    .selectFrom("users")
    .select(["id", "name", "created_at_ms"])
    .orderBy("name")
    .execute();
  const memberships = await db
    .selectFrom("memberships")
    .innerJoin("organizations", "organizations.id", "memberships.organization_id")
    .select(["memberships.user_id", "organizations.slug", "memberships.role"])
    .orderBy("organizations.slug")
    .execute();
  const byUser = Map.groupBy(memberships, (membership) => membership.user_id);
  return users.map((user) => ({
    ...user,
    memberships: (byUser.get(user.id) ?? []).map(({ slug, role }) => ({ slug, role })),
  }));
}

/** Returns the slugs of the organizations that would have no owner without this user. */
export async function solelyOwned(db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom("memberships")
    .innerJoin("organizations", "organizations.id", "memberships.organization_id")
    .select("organizations.slug")
    .where("memberships.role", "=", "owner")
    .groupBy(["organizations.id", "organizations.slug"])
    .having((eb) => eb.fn.countAll(), "=", 1)
    .having((eb) => eb.fn.max("memberships.user_id"), "=", userId)
    .orderBy("organizations.slug")
    .execute();
  return rows.map((row) => row.slug);
}

/** Deletes a user with every membership. What the user did stays in the audit trail. */
export async function deleteUser(db: Db, act: Act, user: Row<"users">): Promise<void> {
  await removeMemberships(db, act, user);
  await db.deleteFrom("users").where("id", "=", user.id).execute();
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "user.delete",
    target: user.id,
    detail: { name: user.name },
  });
}

/** Creates a user. @param name Folded. @throws {SQLiteError} If the name is taken. */
export async function createUser(
  db: Db,
  act: Act,
  { name, passwordHash }: { readonly name: string; readonly passwordHash: string },
): Promise<Row<"users">> {
  const row: Row<"users"> = {
    id: uuid7(act.nowMs),
    name,
    password_hash: passwordHash,
    created_at_ms: act.nowMs,
    updated_at_ms: act.nowMs,
  };
  await db.insertInto("users").values(row).execute();
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "user.create",
    target: row.id,
    detail: { name },
  });
  return row;
}

/** Replaces a user's password. */
export async function setPassword(
  db: Db,
  act: Act,
  { userId, passwordHash }: { readonly userId: string; readonly passwordHash: string },
): Promise<void> {
  const { name } = await db
    .updateTable("users")
    .set({ password_hash: passwordHash, updated_at_ms: act.nowMs })
    .where("id", "=", userId)
    .returning("name")
    .executeTakeFirstOrThrow();
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "user.set_password",
    target: userId,
    detail: { name },
  });
}

/** Writes down that a user may sign in again after too many failures. */
export async function recordUnlock(db: Db, act: Act, user: Row<"users">): Promise<void> {
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "user.unlock",
    target: user.id,
    detail: { name: user.name },
  });
}
