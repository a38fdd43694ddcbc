import { expect, test } from "bun:test";
import { ROLES } from "../../src/domain/organization.ts";

test("the roles are those of the published contract", () => {
  expect(ROLES).toEqual(["owner", "admin", "member"]);
});
