import { expect, test } from "bun:test";
import { openPlane } from "../support/management_plane.ts";

test("an organization is shown as its member sees it, in the list and alone", async () => {
  const plane = await openPlane();
  const view = (role: string) => ({
    id: plane.organizationId,
    name: "Acme",
    slug: "acme",
    is_personal: false,
    role,
    created_at: "2026-06-15T12:00:00Z",
  });
  for (const as of ["owner", "member"] as const) {
    expect((await plane.ask({ as, path: "/organizations" })).json).toEqual({
      organizations: [view(as)],
    });
    expect((await plane.ask({ as, path: "/organizations/{org}" })).json).toEqual(view(as));
  }
  await plane.database.close();
});

test("somebody without a membership has no organizations", async () => {
  const plane = await openPlane();
  const answer = await plane.ask({ as: "stranger", path: "/organizations" });
  expect(answer.json).toEqual({ organizations: [] });
  await plane.database.close();
});
