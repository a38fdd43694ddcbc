import { expect, test } from "bun:test";
import { ROUTES } from "../../src/management_plane/routes.ts";

test("a route of an organization is for members or managers, and no other route is", () => {
  for (const route of ROUTES)
    expect(route.access === "user").toBe(!route.pattern.includes("{orgId}"));
});

test("what changes something takes a manager", () => {
  const changing = ROUTES.filter((route) => route.method !== "GET");
  expect(changing.length).toBeGreaterThan(5);
  expect(changing.every((route) => route.access === "manager")).toBe(true);
});

test("no route stands in the table twice", () => {
  const names = ROUTES.map((route) => `${route.method} ${route.pattern}`);
  expect(new Set(names).size).toBe(names.length);
});
