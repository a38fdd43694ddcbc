import { expect, test } from "bun:test";
import { ensureFirstOrganization, isFirstStart } from "../../src/store/first_start.ts";
import { listOrganizations } from "../../src/store/organizations.ts";
import { findUser } from "../../src/store/users.ts";
import { openTestDatabase } from "../support/database.ts";
import { auditedActions, NOW_MS, withOrganizations } from "../support/store.ts";

const FIRST = { passwordHash: "hash", nowMs: NOW_MS };

test("an empty database gets an organization and its owner, once", async () => {
  const database = await openTestDatabase();
  const { db } = database;
  expect(await isFirstStart(db)).toBe(true);
  const created = await db.transaction().execute((tx) => ensureFirstOrganization(tx, FIRST));
  expect(await findUser(db, "admin")).toEqual(created?.user);
  expect(await listOrganizations(db, created?.user.id ?? "")).toMatchObject([
    { id: created?.organization.id, name: "default", slug: "default", role: "owner" },
  ]);
  expect(await isFirstStart(db)).toBe(false);
  expect(await db.transaction().execute((tx) => ensureFirstOrganization(tx, FIRST))).toBeNull();
  expect((await auditedActions(database)).map(([action]) => action)).toEqual([
    "user.create",
    "membership.add",
  ]);
  await database.close();
});

test(
  "a database with an organization gets nothing",
  withOrganizations(async ({ db }) => {
    expect(await isFirstStart(db)).toBe(false);
    expect(await ensureFirstOrganization(db, FIRST)).toBeNull();
    expect(await findUser(db, "admin")).toBeUndefined();
  }),
);
