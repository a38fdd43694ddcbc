import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { authorize, requireSameOrganization } from "../../src/management_plane/authorize.ts";
import { findUser } from "../../src/store/users.ts";
import { openPlane, type TestPlane, type TestUser } from "../support/management_plane.ts";

let plane: TestPlane;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.database.close());

async function outcome(name: TestUser, access: "member" | "manager", id = plane.organizationId) {
  const user = await findUser(plane.db, name);
  if (user === undefined) throw new Error(`no user ${name}`);
  return authorize(plane.db, user, id, access).then(
    (organization) => organization.role,
    (error: { code?: string }) => error.code,
  );
}

describe("authorize()", () => {
  const CASES: [name: TestUser, member: string, manager: string][] = [
    ["owner", "owner", "owner"],
    ["admin", "admin", "admin"],
    ["member", "member", "forbidden"],
    ["stranger", "organization_not_found", "organization_not_found"],
    ["outsider", "organization_not_found", "organization_not_found"],
  ];
  test.each(CASES)("%s as member: %s, as manager: %s", async (name, member, manager) => {
    expect(await outcome(name, "member")).toBe(member);
    expect(await outcome(name, "manager")).toBe(manager);
  });

  test("an id in capitals is the same id", async () => {
    expect(await outcome("owner", "member", plane.organizationId.toUpperCase())).toBe("owner");
  });
});

describe("requireSameOrganization()", () => {
  const check = (headers: Record<string, string>) => () =>
    requireSameOrganization(new Request("http://x", { headers }), "abc");

  test("takes no header, an empty one, and the same id in any case", () => {
    for (const headers of [{}, { "x-active-org-id": "" }, { "x-active-org-id": "ABC" }])
      expect(check(headers)).not.toThrow();
  });

  test("refuses another id, and two", () => {
    for (const id of ["abd", "abc, abc"]) expect(check({ "x-active-org-id": id })).toThrow();
  });
});
