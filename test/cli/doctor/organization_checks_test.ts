import { expect, test } from "bun:test";
import {
  checkOrganizations,
  judgeOrganization,
} from "../../../src/cli/doctor/organization_checks.ts";
import { ManagementClient } from "../../../src/cli/management_client.ts";
import type { JsonObject } from "../../../src/std/json.ts";

const SETTINGS: JsonObject = {
  monthly_cost_limit_cents: 60_000,
  eu_only: false,
  circuit_open: false,
};
const provider = (name: string, resident = false, enabled = true): JsonObject => {
  return { provider: name, enabled, eu_resident: resident };
};

const CASES: readonly (readonly [
  about: string,
  settings: JsonObject | null,
  providers: JsonObject[],
  found: string[],
])[] = [
  ["no settings", null, [provider("a")], ["warn organization acme"]],
  ["no provider", SETTINGS, [], ["warn organization acme"]],
  ["a disabled provider", SETTINGS, [provider("a", false, false)], ["warn organization acme"]],
  ["a provider", SETTINGS, [provider("a")], ["ok organization acme"]],
  [
    "an open cost circuit",
    { ...SETTINGS, circuit_open: true, circuit_opened_at: "2026-06-01T00:00:00Z" },
    [provider("a")],
    ["fail organization acme"],
  ],
  [
    "EU only with a resident provider",
    { ...SETTINGS, eu_only: true },
    [provider("a"), provider("b", true)],
    ["ok organization acme", "ok EU only of acme"],
  ],
  [
    "EU only without one",
    { ...SETTINGS, eu_only: true },
    [provider("a"), provider("b", true, false)],
    ["ok organization acme", "warn EU only of acme"],
  ],
];

test.each(CASES)("an organization with %s", (_, settings, providers, found) => {
  const checks = judgeOrganization("acme", settings, providers);
  expect(checks.map(({ state, name }) => `${state} ${name}`)).toEqual(found);
});

/** A management plane of one organization, whose providers answer as their names say. */
function fakePlane(settings: JsonObject, providers: readonly JsonObject[], organizations = 1) {
  const asked: string[] = [];
  const answers = (path: string): Response => {
    if (path === "/organizations") {
      const some = Array.from({ length: organizations }, (_, index) => {
        return { id: `o${index}`, slug: `s${index}` };
      });
      return Response.json({ organizations: some });
    }
    if (path.endsWith("/settings")) return Response.json(settings);
    if (path.endsWith("/providers")) return Response.json({ providers });
    asked.push(path.split("/").at(-2) ?? "");
    if (path.includes("/busy/"))
      return Response.json({ error: "busy", code: "x" }, { status: 409 });
    const ok = path.includes("/good/");
    const status = path.includes("/refused/") ? 401 : ok ? 200 : null;
    return Response.json({ ok, status, host: "h", message: "said", duration_ms: 1 });
  };
  const client = new ManagementClient(async ({ url }) => answers(new URL(url).pathname));
  return { client, asked };
}

test("each enabled provider is tried, and what came of it judged", async () => {
  const names = ["good", "refused", "silent", "busy"];
  const providers = [...names.map((name) => provider(name)), provider("off", false, false)];
  const { client, asked } = fakePlane(SETTINGS, providers);
  const checks = await checkOrganizations(client, { offline: false });
  expect(asked.sort()).toEqual(names.toSorted());
  expect(checks.slice(1).map(({ state, name }) => `${state} ${name}`)).toEqual([
    "ok good of s0",
    "fail refused of s0",
    "fail silent of s0",
    "warn busy of s0",
  ]);
  const fixes = checks.map(({ fix }) => fix ?? "");
  expect(fixes.filter((fix) => fix.includes("provider set refused --org s0"))).toHaveLength(1);
  expect(fixes.filter((fix) => fix.includes("provider test silent --org s0"))).toHaveLength(1);
});

test("what is refused anyway is not tried, nor anything when offline", async () => {
  const providers = [provider("good", true), provider("silent")];
  const eu = fakePlane({ ...SETTINGS, eu_only: true }, providers);
  await checkOrganizations(eu.client, { offline: false });
  expect(eu.asked).toEqual(["good"]);
  const offline = fakePlane(SETTINGS, providers);
  const checks = await checkOrganizations(offline.client, { offline: true });
  expect(offline.asked).toEqual([]);
  expect(checks.at(-1)).toMatchObject({ name: "providers", state: "ok" });
});

test("of very many, some are looked at and the others counted", async () => {
  const { client, asked } = fakePlane(SETTINGS, [provider("good"), provider("silent")], 60);
  const checks = await checkOrganizations(client, { offline: false });
  expect(asked).toHaveLength(50);
  const left = checks.filter(({ detail }) => detail.endsWith("more were not looked at"));
  expect(left.map(({ detail }) => detail)).toEqual([
    "10 more were not looked at",
    "50 more were not looked at",
  ]);
});
