import { afterEach, beforeEach, expect, test } from "bun:test";
import { openPlane, type TestPlane } from "../support/management_plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

test("the operator is told what the process knows of itself, and nobody else", async () => {
  const path = "/operator/checks";
  const answer = await plane.ask({ path, as: "operator" });
  expect(answer).toMatchObject({ status: 200, json: { ledger_writable: true, settings: [] } });
  expect((await plane.ask({ path, as: "owner" })).status).toBe(404);
});
