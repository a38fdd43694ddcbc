import type { Role } from "../domain/organization.ts";
import { type Act, recordAuditEvent } from "./audit.ts";
import type { Db, Row } from "./tables.ts";

/** A member of an organization. */
export interface Member {
  readonly user_id: string;
  /** The user's name. */
  readonly user: string;
  readonly role: Role;
  readonly created_at_ms: number;
}

/** Returns the members of an organization, those who joined first in front. */
export function listMembers(db: Db, organizationId: string): Promise<Member[]> {
  return members(db, organizationId)
    .orderBy("memberships.created_at_ms")
    .orderBy("memberships.user_id")
    .execute();
}

/** Finds a member of an organization by the user's id. */
export function findMember(
  db: Db,
  organizationId: string,
  userId: string,
): Promise<Member | undefined> {
  return members(db, organizationId).where("memberships.user_id", "=", userId).executeTakeFirst();
}

/** Returns how many owners an organization has. */
export async function countOwners(db: Db, organizationId: string): Promise<number> {
  const row = await db
    .selectFrom("memberships")
    .select((eb) => eb.fn.countAll<number>().as("owners"))
    .where("organization_id", "=", organizationId)
    .where("role", "=", "owner")
    .executeTakeFirstOrThrow();
  return row.owners;
}

/** Makes a user a member. @throws {SQLiteError} If the user is one already. */
export async function addMember(
  db: Db,
  act: Act,
  membership: { readonly organizationId: string; readonly userId: string; readonly role: Role },
): Promise<void> {
  const { organizationId, userId, role } = membership;
  await db
    .insertInto("memberships")
    .values({
      organization_id: organizationId,
      user_id: userId,
      role,
      created_at_ms: act.nowMs,
    })
    .execute();
  const member = await findMember(db, organizationId, userId);
  await recordAuditEvent(db, act, {
    organizationId,
    action: "membership.add",
    target: userId,
    detail: { user: member?.user ?? null, role },
  });
}

/** Ends a membership. The user remains. */
export async function removeMember(
  db: Db,
  act: Act,
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
): Promise<void> {
  const member = await findMember(db, organizationId, userId);
  if (member === undefined) return;
  await db
    .deleteFrom("memberships")
    .where("organization_id", "=", organizationId)
    .where("user_id", "=", userId)
    .execute();
  await recordAuditEvent(db, act, {
    organizationId,
    action: "membership.remove",
    target: userId,
    detail: { user: member.user, role: member.role },
  });
}

/** Ends every membership of a user: each organization has it in its own trail. */
export async function removeMemberships(
  db: Db,
  act: Act,
  user: Pick<Row<"users">, "id" | "name">,
): Promise<void> {
  const ended = await db
    .deleteFrom("memberships")
    .where("user_id", "=", user.id)
    .returning(["organization_id", "role"])
    .execute();
  for (const { organization_id: organizationId, role } of ended)
    await recordAuditEvent(db, act, {
      organizationId,
      action: "membership.remove",
      target: user.id,
      detail: { user: user.name, role },
    });
}

function members(db: Db, organizationId: string) {
  return db
    .selectFrom("memberships")
    .innerJoin("users", "users.id", "memberships.user_id")
    .where("memberships.organization_id", "=", organizationId)
    .select([
      "memberships.user_id",
      "users.name as user",
      "memberships.role",
      "memberships.created_at_ms",
    ]);
}
