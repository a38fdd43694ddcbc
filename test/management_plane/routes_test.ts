import { expect, test } from "bun:test";
import { ROUTES } from "../../src/management_plane/routes.ts";

test("who may use a route shows in its path", () => {
  for (const { access, pattern } of ROUTES) {
    const expected = pattern.startsWith("/operator/")
      ? ["operator"]
      : pattern.includes("{orgId}")
        ? ["member", "manager"]
        : ["user"];
    expect(expected).toContain(access);
  }
});

test("what changes something takes a manager or the operator", () => {
  const changing = ROUTES.filter((route) => route.method !== "GET");
  expect(changing.length).toBeGreaterThan(5);
  for (const { access } of changing) expect(["manager", "operator"]).toContain(access);
});

test("no route stands in the table twice", () => {
  const names = ROUTES.map((route) => `${route.method} ${route.pattern}`);
  expect(new Set(names).size).toBe(names.length);
});
