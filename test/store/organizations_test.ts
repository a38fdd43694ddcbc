import { expect, test } from "bun:test";
import { addMember } from "../../src/store/memberships.ts";
import {
  createOrganization,
  findOrganization,
  listOrganizations,
} from "../../src/store/organizations.ts";
import { createUser } from "../../src/store/users.ts";
import { ACT, NOW_MS, withOrganizations } from "../support/store.ts";

test(
  "a user sees the organizations of their memberships, with their role, oldest first",
  withOrganizations(async ({ db }, acme, other) => {
    const user = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    expect(await listOrganizations(db, user.id)).toEqual([]);
    await addMember(db, ACT, { organizationId: other, userId: user.id, role: "member" });
    await addMember(db, ACT, { organizationId: acme, userId: user.id, role: "owner" });
    expect(await listOrganizations(db, user.id)).toMatchObject([
      { id: acme, name: "Acme", slug: "acme", role: "owner", created_at_ms: NOW_MS },
      { id: other, name: "Other", slug: "other", role: "member" },
    ]);
  }),
);

test(
  "an organization is found by its members only",
  withOrganizations(async ({ db }, acme, other) => {
    const user = await createUser(db, ACT, { name: "ali", passwordHash: "hash" });
    await addMember(db, ACT, { organizationId: acme, userId: user.id, role: "admin" });
    expect(await findOrganization(db, user.id, acme)).toMatchObject({ id: acme, role: "admin" });
    expect(await findOrganization(db, user.id, other)).toBeUndefined();
    expect(await findOrganization(db, user.id, "no id")).toBeUndefined();
  }),
);

test(
  "a slug belongs to one organization",
  withOrganizations(async ({ db }) => {
    const again = createOrganization(db, ACT, { name: "Acme", slug: "acme" });
    await expect(again).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_UNIQUE" });
  }),
);
