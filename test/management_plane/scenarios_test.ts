import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ROUTES } from "../../src/management_plane/routes.ts";
import type { Asker } from "../support/management_plane.ts";
import {
  type ApiScenario,
  askScenario,
  CANARY,
  contentsOf,
  openWorld,
  ORG,
  SCENARIOS,
  type World,
} from "../support/scenarios.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.plane.database.close());

const contents = () => contentsOf(world.plane);

function ask(scenario: ApiScenario, as: Asker, headers: Record<string, string> = {}) {
  return askScenario(world, scenario, { as, headers });
}

test("there is a scenario for every route, and no other", () => {
  const routes = ROUTES.map((route) => `${route.method} ${route.pattern}`);
  expect(SCENARIOS.map((scenario) => scenario.route)).toEqual(routes);
});

describe.each(SCENARIOS)("$route", (scenario) => {
  const askers = Object.entries(scenario.expect) as [Asker, number][];

  test.each(askers)("answers %s with %d", async (as, status) => {
    const before = await contents();
    const answer = await ask(scenario, as);
    expect(answer.status).toBe(status);
    const notExpected = [CANARY, world.sealed, world.plane.passwordHash, "argon2", world.secret];
    const own = as === "owner" || as === "operator" ? (scenario.content ?? []) : [];
    if (status < 400) for (const text of own) expect(answer.text).toContain(text);
    for (const text of notExpected) expect(answer.text).not.toContain(text);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect([...answer.headers.keys()].join()).not.toContain("access-control");
    if (status === 204) expect(answer.text).toBe("");
    else expect(answer.headers.get("content-type")).toBe("application/json");
    if (status < 400) return;
    expect(Object.entries(answer.json).map(([name, value]) => [name, typeof value])).toEqual([
      ["error", "string"],
      ["code", "string"],
    ]);
    expect(await contents()).toBe(before);
  });

  test("nobody is told to sign in, everybody else is not", async () => {
    for (const [as] of askers) {
      const { status, headers } = await ask(scenario, as);
      const challenge = 'Basic realm="inference-proxy", charset="UTF-8"';
      expect(headers.get("www-authenticate")).toBe(status === 401 ? challenge : null);
    }
  });

  const changes = !scenario.route.startsWith("GET");
  const user = scenario.route.includes(" /operator/") ? "operator" : "owner";
  const FOREIGN_PAGES: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://proxy.example.evil.example", "sec-fetch-site": "same-origin" },
  ];

  test.each(FOREIGN_PAGES)("a page of another site cannot use it (%p)", async (headers) => {
    const before = await contents();
    const answer = await ask(scenario, user, headers);
    expect(answer.status).toBe(changes ? 403 : scenario.expect[user]);
    if (changes) expect(await contents()).toBe(before);
  });

  test("the program's own page can", async () => {
    const headers = { origin: "https://proxy.example", "sec-fetch-site": "same-origin" };
    expect((await ask(scenario, user, headers)).status).toBe(scenario.expect[user]);
  });

  test("an admin whose role is taken away is a member from the next request on", async () => {
    expect((await world.plane.ask({ as: "admin", path: ORG })).status).toBe(200);
    await world.plane.db
      .updateTable("memberships")
      .set({ role: "member" })
      .where("user_id", "=", world.plane.userId("admin"))
      .execute();
    expect((await ask(scenario, "admin")).status).toBe(scenario.expect.member);
  });

  test("a member who was removed is a stranger from the next request on", async () => {
    await world.plane.db
      .deleteFrom("memberships")
      .where("user_id", "=", world.plane.userId("admin"))
      .execute();
    expect((await ask(scenario, "admin")).status).toBe(scenario.expect.stranger);
  });
});

const NO_ORGANIZATIONS = [
  "019ecb27-2200-7440-b544-000000000000",
  "acme",
  "..%2F",
  "00000000-0000-0000-0000-000000000000",
  "%00",
  "'--",
];

describe.each(SCENARIOS.filter((scenario) => scenario.route.includes("{orgId}")))(
  "$route",
  (scenario) => {
    test("a foreign organization looks like none, byte for byte", async () => {
      const { path, body, route } = scenario;
      const text = typeof path === "string" ? path : path(world);
      const method = route.split(" ")[0] ?? "";
      const foreign = await world.plane.ask({ as: "outsider", method, path: text, body });
      for (const id of NO_ORGANIZATIONS) {
        const missing = await world.plane.ask({ method, path: text.replace("{org}", id), body });
        expect(missing).toMatchObject({ status: 404, text: foreign.text });
        expect([...missing.headers]).toEqual([...foreign.headers]);
      }
    });

    test("what the headers say cannot lead elsewhere", async () => {
      const same = await ask(scenario, "owner", { "x-active-org-id": world.plane.organizationId });
      expect(same.status).toBe(scenario.expect.owner);
      const before = await contents();
      const other = await ask(scenario, "owner", { "x-active-org-id": world.plane.otherId });
      expect(other).toMatchObject({ status: 400, json: { code: "invalid_request" } });
      const outsider = await ask(scenario, "outsider", { "x-active-org-id": world.plane.otherId });
      expect(outsider.status).toBe(404);
      expect(await contents()).toBe(before);
    });
  },
);

test("what was given in secret stands nowhere in the database or its log", async () => {
  await world.plane.ask({
    method: "POST",
    path: `${ORG}/members`,
    body: { user: "new", role: "member", password: "canary-password-1" },
  });
  const { path } = world.plane.database;
  const files = [path, `${path}-wal`].map((file) => readFileSync(file).toString("latin1"));
  const texts = [...files, world.plane.lines.join(""), await contents()];
  for (const canary of [CANARY, world.secret, "canary-password-1"]) {
    const reversed = canary.split("").reverse().join("");
    const bytes = Buffer.from(canary);
    const forms = [canary, reversed, bytes.toString("hex"), bytes.toString("base64").slice(0, -4)];
    for (const form of forms) for (const text of texts) expect(text.includes(form)).toBe(false);
  }
  expect(texts.some((text) => text.includes(world.sealed))).toBe(true);
});
