import { expect, test } from "bun:test";
import {
  addMember,
  countOwners,
  findMember,
  listMembers,
  removeMember,
} from "../../src/store/memberships.ts";
import { createUser } from "../../src/store/users.ts";
import { ACT, auditedActions, withOrganizations } from "../support/store.ts";

test(
  "members come and go, in one organization at a time",
  withOrganizations(async (database, organizationId, other) => {
    const { db } = database;
    const ali = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    const kasim = await createUser(db, ACT, { name: "kasim", passwordHash: "hash" });
    const later = { ...ACT, nowMs: ACT.nowMs + 1 };
    await addMember(db, later, { organizationId, userId: ali.id, role: "owner" });
    await addMember(db, ACT, { organizationId, userId: kasim.id, role: "member" });
    await addMember(db, ACT, { organizationId: other, userId: ali.id, role: "member" });
    expect((await listMembers(db, organizationId)).map((one) => [one.user, one.role])).toEqual([
      ["kasim", "member"],
      ["ali", "owner"],
    ]);
    await removeMember(db, ACT, { organizationId, userId: ali.id });
    expect(await findMember(db, organizationId, ali.id)).toBeUndefined();
    expect(await findMember(db, other, ali.id)).toMatchObject({ user: "ali", role: "member" });
    const audited = (await auditedActions(database)).map((event) => JSON.stringify(event));
    expect(audited.sort()).toEqual([
      '["membership.add",{"user":"ali","role":"member"}]',
      '["membership.add",{"user":"ali","role":"owner"}]',
      '["membership.add",{"user":"kasim","role":"member"}]',
      '["membership.remove",{"user":"ali","role":"owner"}]',
      '["user.create",{"name":"ali"}]',
      '["user.create",{"name":"kasim"}]',
    ]);
  }),
);

test(
  "owners are counted per organization",
  withOrganizations(async ({ db }, organizationId, other) => {
    const ali = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    const kasim = await createUser(db, ACT, { name: "kasim", passwordHash: "hash" });
    expect(await countOwners(db, organizationId)).toBe(0);
    await addMember(db, ACT, { organizationId, userId: ali.id, role: "owner" });
    await addMember(db, ACT, { organizationId, userId: kasim.id, role: "admin" });
    await addMember(db, ACT, { organizationId: other, userId: kasim.id, role: "owner" });
    expect(await countOwners(db, organizationId)).toBe(1);
  }),
);

test(
  "nobody is a member twice",
  withOrganizations(async ({ db }, organizationId) => {
    const { id: userId } = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    await addMember(db, ACT, { organizationId, userId, role: "member" });
    const again = addMember(db, ACT, { organizationId, userId, role: "owner" });
    await expect(again).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_PRIMARYKEY" });
  }),
);
