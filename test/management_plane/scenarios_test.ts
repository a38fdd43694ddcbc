import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ROUTES } from "../../src/management_plane/routes.ts";
import { saveModelPrice } from "../../src/store/model_prices.ts";
import { saveSettings } from "../../src/store/settings.ts";
import { type Asker, openPlane, type TestPlane, textIn } from "../support/management_plane.ts";
import { postedCall } from "../support/usage.ts";

const CANARY = "sk-canary-0123456789";
const ORG = "/organizations/{org}";
const CALL_ID = "019ecb27-2200-7440-b544-0000000000aa";

/** One request per route that works for an owner, and what each asker gets. */
interface ApiScenario {
  /** The route, as it stands in the table of routes. */
  readonly route: string;
  readonly path: string | ((plane: TestPlane, keyId: string) => string);
  readonly body?: unknown;
  readonly expect: Readonly<Record<Asker, number>>;
  readonly content?: readonly string[];
}

/** What most askers get: only the roles that may manage get further. */
function managers(status: number): Record<Asker, number> {
  return {
    nobody: 401,
    "wrong password": 401,
    stranger: 404,
    outsider: 404,
    member: 403,
    admin: status,
    owner: status,
  };
}

const SCENARIOS: readonly ApiScenario[] = [
  {
    route: "GET /organizations",
    path: "/organizations",
    expect: { ...managers(200), stranger: 200, outsider: 200, member: 200 },
    content: ['"slug":"acme"', '"role":"owner"'],
  },
  {
    route: "GET /organizations/",
    path: "/organizations/",
    expect: { ...managers(200), stranger: 200, outsider: 200, member: 200 },
    content: ['"slug":"acme"'],
  },
  {
    route: "GET /organizations/{orgId}",
    path: ORG,
    expect: { ...managers(200), member: 200 },
    content: ['"slug":"acme"'],
  },
  {
    route: "GET /organizations/{orgId}/members",
    path: `${ORG}/members`,
    expect: managers(200),
    content: ['"user":"admin"'],
  },
  {
    route: "POST /organizations/{orgId}/members",
    path: `${ORG}/members`,
    body: { user: "new", role: "member", password: "a long enough one" },
    expect: managers(201),
    content: ['"user":"new"'],
  },
  {
    route: "DELETE /organizations/{orgId}/members/{userId}",
    path: (plane) => `${ORG}/members/${plane.userId("member")}`,
    expect: managers(204),
  },
  {
    route: "GET /organizations/{orgId}/inference/providers",
    path: `${ORG}/inference/providers`,
    expect: managers(200),
    content: ['"has_api_key":true'],
  },
  {
    route: "PUT /organizations/{orgId}/inference/providers",
    path: `${ORG}/inference/providers`,
    body: { provider: "openai", api_key: `${CANARY}-2` },
    expect: managers(200),
    content: ['"provider":"openai"'],
  },
  {
    route: "DELETE /organizations/{orgId}/inference/providers/{provider}",
    path: `${ORG}/inference/providers/openai`,
    expect: managers(204),
  },
  {
    route: "GET /organizations/{orgId}/inference/keys",
    path: `${ORG}/inference/keys`,
    expect: managers(200),
    content: ['"key_prefix":"fdb-inf-'],
  },
  {
    route: "POST /organizations/{orgId}/inference/keys",
    path: `${ORG}/inference/keys`,
    body: { name: "app", monthly_token_limit: 1000 },
    expect: managers(201),
    content: ['"secret":"fdb-inf-', '"activation_note":'],
  },
  {
    route: "PATCH /organizations/{orgId}/inference/keys/{keyId}",
    path: (_, keyId) => `${ORG}/inference/keys/${keyId}`,
    body: { status: "suspended" },
    expect: managers(200),
    content: ['"status":"suspended"'],
  },
  {
    route: "DELETE /organizations/{orgId}/inference/keys/{keyId}",
    path: (_, keyId) => `${ORG}/inference/keys/${keyId}`,
    expect: managers(204),
  },
  {
    route: "GET /organizations/{orgId}/inference/settings",
    path: `${ORG}/inference/settings`,
    expect: managers(200),
    content: ['"monthly_cost_limit_cents":500'],
  },
  {
    route: "PUT /organizations/{orgId}/inference/settings",
    path: `${ORG}/inference/settings`,
    body: { monthly_cost_limit_cents: 700 },
    expect: managers(200),
    content: ['"monthly_cost_limit_cents":700'],
  },
  {
    route: "GET /organizations/{orgId}/inference/prices",
    path: `${ORG}/inference/prices`,
    expect: managers(200),
    content: ['"model":"azure_openai/prod/one"'],
  },
  {
    route: "PUT /organizations/{orgId}/inference/prices",
    path: `${ORG}/inference/prices`,
    body: { model: "azure_openai/test", alias_of: "openai/gpt-4o" },
    expect: managers(200),
    content: ['"alias_of":"openai/gpt-4o"'],
  },
  {
    route: "DELETE /organizations/{orgId}/inference/prices/{provider}/{model}",
    path: `${ORG}/inference/prices/azure_openai/prod%2Fone`,
    expect: managers(204),
  },
  {
    route: "GET /organizations/{orgId}/inference/usage",
    path: `${ORG}/inference/usage`,
    expect: managers(200),
    content: ['"rows":[]'],
  },
  {
    route: "GET /organizations/{orgId}/inference/calls/{callId}",
    path: `${ORG}/inference/calls/${CALL_ID}`,
    expect: managers(200),
    content: [`"id":"${CALL_ID}"`, '"cost_microcents":5'],
  },
];

let plane: TestPlane;
let keyId = "";
let secret = "";
let sealed = "";

beforeEach(async () => {
  plane = await openPlane();
  await plane.ask({
    method: "PUT",
    path: `${ORG}/inference/providers`,
    body: { provider: "openai", api_key: CANARY },
  });
  const created = await plane.ask({
    method: "POST",
    path: `${ORG}/inference/keys`,
    body: { name: "first", monthly_token_limit: 5 },
  });
  secret = textIn(created, "secret");
  const key = await plane.db.selectFrom("inference_keys").select("id").executeTakeFirstOrThrow();
  keyId = key.id;
  const act = { actor: "system", nowMs: plane.clock.wallMs() };
  const values = { euOnly: false, monthlyCostLimitCents: 500, circuitOpenedAtMs: null };
  await saveSettings(plane.db, act, plane.organizationId, values);
  const name = { provider: "azure_openai", model: "prod/one" } as const;
  await saveModelPrice(plane.db, act, plane.organizationId, name, {
    rates: { input: 1, output: 2 },
  });
  // Long ago: it is in no usage report of this month.
  const call = postedCall(plane.organizationId, Date.UTC(2026, 4, 1));
  await plane.db
    .insertInto("calls")
    .values({ ...call, id: CALL_ID })
    .execute();
  const row = await plane.db.selectFrom("provider_configs").selectAll().executeTakeFirstOrThrow();
  sealed = row.sealed_key;
});
afterEach(() => plane.database.close());

/** Everything that a row says, to see that a refused request changed nothing. */
async function contents(): Promise<string> {
  const tables = [
    "memberships",
    "provider_configs",
    "inference_keys",
    "org_settings",
    "model_prices",
    "users",
    "audit_events",
  ] as const;
  const rows = await Promise.all(
    tables.map((table) => plane.db.selectFrom(table).selectAll().execute()),
  );
  return JSON.stringify(rows);
}

function ask(scenario: ApiScenario, as: Asker, headers: Record<string, string> = {}) {
  const { path, body, route } = scenario;
  return plane.ask({
    as,
    method: route.split(" ")[0] ?? "",
    path: typeof path === "string" ? path : path(plane, keyId),
    body,
    headers,
  });
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
    const notExpected = [CANARY, sealed, plane.passwordHash, "argon2", secret];
    const own = as === "owner" ? (scenario.content ?? []) : [];
    for (const text of own) expect(answer.text).toContain(text);
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
  const FOREIGN_PAGES: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://proxy.example.evil.example", "sec-fetch-site": "same-origin" },
  ];

  test.each(FOREIGN_PAGES)("a page of another site cannot use it (%p)", async (headers) => {
    const before = await contents();
    const answer = await ask(scenario, "owner", headers);
    expect(answer.status).toBe(changes ? 403 : scenario.expect.owner);
    if (changes) expect(await contents()).toBe(before);
  });

  test("the program's own page can", async () => {
    const headers = { origin: "https://proxy.example", "sec-fetch-site": "same-origin" };
    expect((await ask(scenario, "owner", headers)).status).toBe(scenario.expect.owner);
  });

  test("a member who was removed is a stranger from the next request on", async () => {
    await plane.db.deleteFrom("memberships").where("user_id", "=", plane.userId("admin")).execute();
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
      const text = typeof path === "string" ? path : path(plane, keyId);
      const method = route.split(" ")[0] ?? "";
      const foreign = await plane.ask({ as: "outsider", method, path: text, body });
      for (const id of NO_ORGANIZATIONS) {
        const missing = await plane.ask({ method, path: text.replace("{org}", id), body });
        expect(missing).toMatchObject({ status: 404, text: foreign.text });
        expect([...missing.headers]).toEqual([...foreign.headers]);
      }
    });

    test("what the headers say cannot lead elsewhere", async () => {
      const same = await ask(scenario, "owner", { "x-active-org-id": plane.organizationId });
      expect(same.status).toBe(scenario.expect.owner);
      const before = await contents();
      const other = await ask(scenario, "owner", { "x-active-org-id": plane.otherId });
      expect(other).toMatchObject({ status: 400, json: { code: "invalid_request" } });
      const outsider = await ask(scenario, "outsider", { "x-active-org-id": plane.otherId });
      expect(outsider.status).toBe(404);
      expect(await contents()).toBe(before);
    });
  },
);

test("what was given in secret stands nowhere in the database or its log", async () => {
  await plane.ask({
    method: "POST",
    path: `${ORG}/members`,
    body: { user: "new", role: "member", password: "canary-password-1" },
  });
  const { path } = plane.database;
  const files = [path, `${path}-wal`].map((file) => readFileSync(file).toString("latin1"));
  const texts = [...files, plane.lines.join(""), await contents()];
  for (const canary of [CANARY, secret, "canary-password-1"]) {
    const reversed = canary.split("").reverse().join("");
    const bytes = Buffer.from(canary);
    const forms = [canary, reversed, bytes.toString("hex"), bytes.toString("base64").slice(0, -4)];
    for (const form of forms) for (const text of texts) expect(text.includes(form)).toBe(false);
  }
  expect(texts.some((text) => text.includes(sealed))).toBe(true);
});
