import { uuid7 } from "../std/uuid7.ts";
import { type Act, recordAuditEvent } from "./audit.ts";
import type { Db, Row } from "./tables.ts";

/** Finds a user by the folded name. */
export function findUser(db: Db, name: string): Promise<Row<"users"> | undefined> {
  return db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
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
  await db
    .updateTable("users")
    .set({ password_hash: passwordHash, updated_at_ms: act.nowMs })
    .where("id", "=", userId)
    .execute();
  await recordAuditEvent(db, act, {
    organizationId: null,
    action: "user.set_password",
    target: userId,
  });
}
