import { expect, test } from "bun:test";
import { takeInventory } from "../../src/store/inventory.ts";
import { openPlane } from "../support/management_plane.ts";

test("what is configured is counted, revoked keys and closed circuits aside", async () => {
  const plane = await openPlane();
  const base = "/organizations/{org}/inference";
  for (const name of ["one", "two"]) {
    const body = { name, monthly_token_limit: 5 };
    await plane.ask({ method: "POST", path: `${base}/keys`, body });
  }
  const key = await plane.db.selectFrom("inference_keys").select("id").executeTakeFirstOrThrow();
  await plane.ask({ method: "DELETE", path: `${base}/keys/${key.id}` });
  const api_key = "sk-0123456789";
  await plane.ask({
    method: "PUT",
    path: `${base}/providers`,
    body: { provider: "openai", api_key },
  });
  await plane.ask({
    method: "PUT",
    path: `${base}/settings`,
    body: { monthly_cost_limit_cents: 1 },
  });
  const counted = { organizations: 2, providerConfigs: 1, inferenceKeys: 1 };
  expect(await takeInventory(plane.db)).toEqual({ ...counted, circuitsOpen: 0 });
  await plane.db.updateTable("org_settings").set({ circuit_opened_at_ms: 1 }).execute();
  expect(await takeInventory(plane.db)).toEqual({ ...counted, circuitsOpen: 1 });
  await plane.database.close();
});
