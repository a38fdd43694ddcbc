import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openPlane, type TestPlane } from "../support/management_plane.ts";

const UNKNOWN_ID = "019ecb27-2200-7440-b544-000000000000";
const NEW_PASSWORD = "a long enough one";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

function operate(method: string, path: string, body?: unknown) {
  return plane.ask({ as: "operator", method, path, body });
}

function signIn(user: string, password: string) {
  const authorization = `Basic ${btoa(`${user}:${password}`)}`;
  return plane.ask({ as: "nobody", path: "/organizations", headers: { authorization } });
}

describe("the operator's users", () => {
  test("are listed by name, each with what they are a member of", async () => {
    const { json } = await operate("GET", "/operator/users");
    const users = json["users"] as { name: string; memberships: unknown }[];
    expect(users.map(({ name, memberships }) => [name, memberships])).toEqual([
      ["admin", [{ slug: "acme", role: "admin" }]],
      ["member", [{ slug: "acme", role: "member" }]],
      ["outsider", [{ slug: "other", role: "owner" }]],
      ["owner", [{ slug: "acme", role: "owner" }]],
      ["stranger", []],
    ]);
  });

  test("sign in as soon as they are created, however the name is written", async () => {
    expect((await signIn("zoe", NEW_PASSWORD)).status).toBe(401);
    const body = { name: " Zoe ", password: NEW_PASSWORD };
    expect(await operate("POST", "/operator/users", body)).toMatchObject({
      status: 201,
      json: { name: "zoe" },
    });
    expect((await signIn("ZOE", NEW_PASSWORD)).status).toBe(200);
    expect(await operate("POST", "/operator/users", { ...body, name: "ZOE" })).toMatchObject({
      status: 409,
      json: { code: "name_taken" },
    });
  });

  test("need a password of some length", async () => {
    for (const password of ["short", "", "x".repeat(2000), 5, "tab\tinside-it-somewhere"]) {
      const answer = await operate("POST", "/operator/users", { name: "zoe", password });
      expect(answer).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    }
  });

  test("take a new password at once, and lose the old one", async () => {
    const path = `/operator/users/${plane.userId("owner")}/password`;
    expect((await plane.ask({ path: "/organizations" })).status).toBe(200);
    expect((await operate("PUT", path, { password: NEW_PASSWORD })).status).toBe(204);
    expect((await plane.ask({ path: "/organizations" })).status).toBe(401);
    expect((await signIn("owner", NEW_PASSWORD)).status).toBe(200);
  });

  test("are gone with their memberships, unless nobody else owns an organization", async () => {
    const admin = `/operator/users/${plane.userId("admin")}`;
    expect((await operate("DELETE", admin)).status).toBe(204);
    expect((await plane.ask({ as: "admin", path: "/organizations" })).status).toBe(401);
    const members = await operate("GET", `/organizations/${plane.organizationId}/members`);
    expect(members.text).not.toContain('"admin"');
    expect(await operate("DELETE", `/operator/users/${plane.userId("owner")}`)).toMatchObject({
      status: 409,
      json: { code: "last_owner", error: expect.stringContaining('"acme"') },
    });
  });

  test("are not found by an id of nobody", async () => {
    for (const id of [UNKNOWN_ID, "admin", "%00"]) {
      const answers = [
        await operate("DELETE", `/operator/users/${id}`),
        await operate("POST", `/operator/users/${id}/unlock`),
        await operate("PUT", `/operator/users/${id}/password`, { password: NEW_PASSWORD }),
      ];
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 404, json: { code: "user_not_found" } });
    }
  });

  test("are changed in the operator's name, from this machine", async () => {
    await operate("POST", "/operator/users", { name: "zoe", password: NEW_PASSWORD });
    const event = await plane.db
      .selectFrom("audit_events")
      .select(["actor", "address"])
      .where("action", "=", "user.create")
      .where("detail", "=", '{"name":"zoe"}')
      .executeTakeFirstOrThrow();
    expect(event).toEqual({ actor: "operator", address: "local" });
  });
});

describe("the operator's organizations", () => {
  test("get a slug of their name, or the one that is asked for", async () => {
    const path = "/operator/organizations";
    expect(
      (await operate("POST", path, { name: "Soci\u00e9t\u00e9 G\u00e9n" })).json,
    ).toMatchObject({
      slug: "societe-gen",
    });
    expect((await operate("POST", path, { name: "x", slug: "y-2" })).json).toMatchObject({
      slug: "y-2",
    });
    expect((await operate("POST", path, { name: "Acme" })).json).toMatchObject({
      code: "slug_taken",
    });
    expect((await operate("POST", path, { name: "\u4e2d\u6587" })).json).toMatchObject({
      code: "invalid_request",
    });
  });

  test("are all of them", async () => {
    const { json } = await operate("GET", "/organizations");
    const organizations = json["organizations"] as { slug: string; role: string }[];
    expect(organizations.map(({ slug, role }) => [slug, role])).toEqual([
      ["acme", "owner"],
      ["other", "owner"],
    ]);
  });
});
