import { expect, test } from "bun:test";
import { addMember } from "../../src/store/memberships.ts";
import {
  createUser,
  deleteUser,
  findUser,
  recordUnlock,
  setPassword,
} from "../../src/store/users.ts";
import { ACT, auditedActions, withOrganizations } from "../support/store.ts";

test(
  "a user is found by name",
  withOrganizations(async ({ db }) => {
    const user = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    expect(await findUser(db, "ali")).toEqual(user);
    expect(await findUser(db, "kasim")).toBeUndefined();
  }),
);

test(
  "a name belongs to one user",
  withOrganizations(async ({ db }) => {
    await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    const again = createUser(db, ACT, { name: "ali", passwordHash: "other" });
    await expect(again).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_UNIQUE" });
  }),
);

test(
  "a password is replaced for one user, and nothing written down says what it is",
  withOrganizations(async (database) => {
    const { db } = database;
    const { id: userId } = await createUser(db, ACT, { name: "ali", passwordHash: "hash-1" });
    await createUser(db, ACT, { name: "kasim", passwordHash: "hash-2" });
    const later = { ...ACT, nowMs: ACT.nowMs + 5 };
    await setPassword(db, later, { userId, passwordHash: "hash-3" });
    expect(await findUser(db, "ali")).toMatchObject({
      password_hash: "hash-3",
      updated_at_ms: later.nowMs,
    });
    expect(await findUser(db, "kasim")).toMatchObject({ password_hash: "hash-2" });
    const audited = await auditedActions(database);
    expect(audited.map(([action]) => action)).toEqual([
      "user.create",
      "user.create",
      "user.set_password",
    ]);
    expect(JSON.stringify(audited)).not.toContain("hash-");
  }),
);

test(
  "a user who is deleted leaves a trace in each of their organizations",
  withOrganizations(async (database, organizationId, other) => {
    const { db } = database;
    const user = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    await addMember(db, ACT, { organizationId, userId: user.id, role: "owner" });
    await addMember(db, ACT, { organizationId: other, userId: user.id, role: "member" });
    await recordUnlock(db, ACT, user);
    const later = { ...ACT, nowMs: ACT.nowMs + 5 };
    await deleteUser(db, later, user);
    expect(await findUser(db, "ali")).toBeUndefined();
    const events = await db
      .selectFrom("audit_events")
      .select(["organization_id", "action", "detail"])
      .where("target", "=", user.id)
      .where("happened_at_ms", "=", later.nowMs)
      .execute();
    expect(events).toHaveLength(3);
    for (const [organization_id, action, detail] of [
      [organizationId, "membership.remove", { user: "ali", role: "owner" }],
      [other, "membership.remove", { user: "ali", role: "member" }],
      [null, "user.delete", { name: "ali" }],
    ] as const)
      expect(events).toContainEqual({ organization_id, action, detail: JSON.stringify(detail) });
    expect(await auditedActions(database)).toContainEqual(["user.unlock", { name: "ali" }]);
  }),
);
