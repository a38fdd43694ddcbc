import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  type Answer,
  openPlane,
  PASSWORD,
  type TestPlane,
  type TestUser,
  textIn,
} from "../support/management_plane.ts";

const PATH = "/organizations/{org}/members";
const NEW_PASSWORD = "twelve chars";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const post = (body: unknown, as: TestUser = "owner"): Promise<Answer> =>
  plane.ask({ as, method: "POST", path: PATH, body });
const remove = (userId: string, as: TestUser = "owner"): Promise<Answer> =>
  plane.ask({ as, method: "DELETE", path: `${PATH}/${userId}` });

async function roles(): Promise<string[]> {
  const rows = await plane.db
    .selectFrom("memberships")
    .innerJoin("users", "users.id", "memberships.user_id")
    .select(["users.name", "memberships.role"])
    .where("organization_id", "=", plane.organizationId)
    .orderBy("users.name")
    .execute();
  return rows.map((row) => `${row.name}: ${row.role}`);
}

const BEFORE = ["admin: admin", "member: member", "owner: owner"];

describe("POST members", () => {
  test("creates a user who can sign in at once", async () => {
    const answer = await post({
      user: " New.One@Example.com",
      role: "admin",
      password: NEW_PASSWORD,
    });
    expect(answer.status).toBe(201);
    const userId = textIn(answer, "user_id");
    expect(answer.json).toEqual({
      user_id: userId,
      user: "new.one@example.com",
      role: "admin",
      created_at: "2026-06-15T12:00:00Z",
    });
    const list = await plane.ask({ path: PATH });
    expect(list.json["members"]).toContainEqual(answer.json);
    const authorization = `Basic ${btoa(`new.one@example.com:${NEW_PASSWORD}`)}`;
    const own = await plane.ask({ path: PATH, headers: { authorization } });
    expect(own.status).toBe(200);
  });

  test("adds a user who exists, with the password they have", async () => {
    const answer = await post({ user: "Stranger", role: "member" });
    expect(answer.json).toMatchObject({ user: "stranger", user_id: plane.userId("stranger") });
    expect((await plane.ask({ as: "stranger", path: "/organizations/{org}" })).status).toBe(200);
  });

  test("never changes the password of a user who exists", async () => {
    const answer = await post({ user: "outsider", role: "member", password: NEW_PASSWORD });
    expect(answer).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect(await roles()).toEqual(BEFORE);
    const authorization = `Basic ${btoa(`outsider:${PASSWORD}`)}`;
    expect((await plane.ask({ path: "/organizations", headers: { authorization } })).status).toBe(
      200,
    );
  });

  test("does not add a member again, in whatever role", async () => {
    for (const role of ["member", "owner"])
      expect(await post({ user: "member", role })).toMatchObject({
        status: 409,
        json: { code: "already_member" },
      });
    expect(await roles()).toEqual(BEFORE);
  });

  test("two who add the same new user at once add one", async () => {
    const body = { user: "new", role: "member", password: NEW_PASSWORD };
    const statuses = (await Promise.all([post(body), post(body)])).map((answer) => answer.status);
    expect(statuses.sort((a, b) => a - b)).toEqual([201, 409]);
  });

  const BAD: object[] = [
    {},
    { user: "new", role: "member" },
    { user: "new", role: "member", password: "eleven char" },
    { user: "new", role: "member", password: `${NEW_PASSWORD}\n` },
    { user: "new", role: "member", password: "p".repeat(1025) },
    { user: "new", role: "member", password: null },
    { user: "new", role: "god", password: NEW_PASSWORD },
    { user: "new", password: NEW_PASSWORD },
    { user: "", role: "member", password: NEW_PASSWORD },
    { user: "a:b", role: "member", password: NEW_PASSWORD },
    { user: "a\0", role: "member", password: NEW_PASSWORD },
    { user: 7, role: "member", password: NEW_PASSWORD },
    { user: "new", role: "member", password: NEW_PASSWORD, user_id: "x" },
  ];
  test.each(BAD)("refuses %p", async (body) => {
    expect(await post(body)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect(await roles()).toEqual(BEFORE);
    const users = await plane.db.selectFrom("users").select("id").execute();
    expect(users).toHaveLength(5);
  });
});

describe("DELETE members/{userId}", () => {
  test("shuts the member out from the next request on, and keeps the user", async () => {
    expect((await remove(plane.userId("admin"))).status).toBe(204);
    expect((await plane.ask({ as: "admin", path: PATH })).status).toBe(404);
    expect((await plane.ask({ as: "admin", path: "/organizations" })).json).toEqual({
      organizations: [],
    });
    expect((await remove(plane.userId("admin"))).status).toBe(404);
  });

  test("does not find members of other organizations, or nonsense", async () => {
    const missing = [plane.userId("outsider"), plane.userId("stranger"), "x", "%2f"];
    for (const userId of missing)
      expect(await remove(userId)).toMatchObject({
        status: 404,
        json: { code: "member_not_found" },
      });
  });

  test("leaves the last owner in", async () => {
    const self = plane.userId("owner");
    expect(await remove(self)).toMatchObject({ status: 409, json: { code: "last_owner" } });
    await post({ user: "second", role: "owner", password: NEW_PASSWORD });
    expect((await remove(self)).status).toBe(204);
    expect(await roles()).toEqual(["admin: admin", "member: member", "second: owner"]);
  });
});

describe("an admin", () => {
  test("adds and removes members, and nobody above them", async () => {
    for (const role of ["owner", "admin"]) {
      const body = { user: "new", role, password: NEW_PASSWORD };
      expect(await post(body, "admin")).toMatchObject({ status: 403, json: { code: "forbidden" } });
    }
    for (const user of ["owner", "admin"] as const)
      expect((await remove(plane.userId(user), "admin")).status).toBe(403);
    expect(await roles()).toEqual(BEFORE);
    const body = { user: "new", role: "member", password: NEW_PASSWORD };
    expect((await post(body, "admin")).status).toBe(201);
    expect((await remove(plane.userId("member"), "admin")).status).toBe(204);
    expect(await roles()).toEqual(["admin: admin", "new: member", "owner: owner"]);
  });
});

test("who came and went is written down, passwords are not", async () => {
  await post({ user: "new", role: "member", password: NEW_PASSWORD });
  await remove(plane.userId("member"));
  const events = await plane.db
    .selectFrom("audit_events")
    .selectAll()
    .where("actor", "=", "owner")
    .orderBy("id")
    .execute();
  expect(events.map((event) => event.action)).toEqual([
    "user.create",
    "membership.add",
    "membership.remove",
  ]);
  expect(JSON.stringify(events)).not.toContain(NEW_PASSWORD);
  expect(JSON.stringify(events)).not.toContain("argon2");
});
