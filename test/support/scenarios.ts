import type { Json } from "../../src/std/json.ts";
import { systemAct } from "../../src/store/audit.ts";
import { saveModelPrice } from "../../src/store/model_prices.ts";
import { saveSettings } from "../../src/store/settings.ts";
import { NEW_ID, NEW_KEY } from "./master_keys.ts";
import { type Answer, type Asker, openPlane, type TestPlane, textIn } from "./management_plane.ts";
import { postedCall } from "./usage.ts";

/** A provider key that is stored. */
export const CANARY = "sk-canary-0123456789";
export const ORG = "/organizations/{org}";
/** A call of the organization, long ago. */
export const CALL_ID = "019ecb27-2200-7440-b544-0000000000aa";

/** One request per route that works for an owner, and what each asker gets. */
export interface ApiScenario {
  /** The route, as it stands in the table of routes. */
  readonly route: string;
  readonly path: string | ((world: World) => string);
  /** Made before the request, once more each time. */
  readonly before?: (world: World) => Promise<unknown>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly expect: Readonly<Record<Asker, number>>;
  readonly content?: readonly string[];
  /** What is written down when it succeeds: what was done, and to what. */
  readonly audited?: readonly (readonly [
    action: string,
    target: (done: World & { readonly answer: Answer }) => string,
  ])[];
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
    operator: status,
  };
}

/** What askers get where only the operator may be: to everybody else nothing is there. */
function operatorOnly(status: number): Record<Asker, number> {
  return {
    nobody: 404,
    "wrong password": 404,
    stranger: 404,
    outsider: 404,
    member: 404,
    admin: 404,
    owner: 404,
    operator: status,
  };
}

/** One scenario for each route, in the order of the table of routes. */
export const SCENARIOS: readonly ApiScenario[] = [
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
    audited: [
      ["user.create", ({ answer }) => textIn(answer, "user_id")],
      ["membership.add", ({ answer }) => textIn(answer, "user_id")],
    ],
  },
  {
    route: "DELETE /organizations/{orgId}/members/{userId}",
    path: ({ plane }) => `${ORG}/members/${plane.userId("member")}`,
    expect: managers(204),
    audited: [["membership.remove", ({ plane }) => plane.userId("member")]],
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
    audited: [["provider_config.replace", ({ configId }) => configId]],
  },
  {
    route: "DELETE /organizations/{orgId}/inference/providers/{provider}",
    path: `${ORG}/inference/providers/openai`,
    expect: managers(204),
    audited: [["provider_config.delete", ({ configId }) => configId]],
  },
  {
    route: "POST /organizations/{orgId}/inference/providers/{provider}/test",
    path: `${ORG}/inference/providers/openai/test`,
    expect: managers(200),
    content: ['"ok":true', '"models":3'],
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
    audited: [["inference_key.create", ({ answer }) => idOf(answer.json["key"])]],
  },
  {
    route: "PATCH /organizations/{orgId}/inference/keys/{keyId}",
    path: ({ keyId }) => `${ORG}/inference/keys/${keyId}`,
    body: { status: "suspended" },
    expect: managers(200),
    content: ['"status":"suspended"'],
    audited: [["inference_key.update", ({ keyId }) => keyId]],
  },
  {
    route: "DELETE /organizations/{orgId}/inference/keys/{keyId}",
    path: ({ keyId }) => `${ORG}/inference/keys/${keyId}`,
    expect: managers(204),
    audited: [["inference_key.revoke", ({ keyId }) => keyId]],
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
    audited: [["settings.save", ({ plane }) => plane.organizationId]],
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
    audited: [["model_price.save", () => "azure_openai/test"]],
  },
  {
    route: "DELETE /organizations/{orgId}/inference/prices/{provider}/{model}",
    path: `${ORG}/inference/prices/azure_openai/prod%2Fone`,
    expect: managers(204),
    audited: [["model_price.delete", () => "azure_openai/prod/one"]],
  },
  {
    route: "GET /organizations/{orgId}/inference/usage",
    path: `${ORG}/inference/usage`,
    expect: managers(200),
    content: ['"rows":[]'],
  },
  {
    route: "GET /organizations/{orgId}/inference/audit",
    path: `${ORG}/inference/audit`,
    expect: managers(200),
    content: ['"action":"inference_key.create"', '"has_more":false'],
  },
  {
    route: "GET /organizations/{orgId}/inference/calls/{callId}",
    path: `${ORG}/inference/calls/${CALL_ID}`,
    expect: managers(200),
    content: [`"id":"${CALL_ID}"`, '"cost_microcents":5'],
  },
  {
    route: "GET /operator/audit",
    path: "/operator/audit",
    expect: operatorOnly(200),
    content: ['"action":"user.create"', '"organization_id":null'],
  },
  {
    route: "GET /operator/status",
    path: "/operator/status",
    expect: operatorOnly(200),
    content: ['"version":"test"'],
  },
  {
    route: "GET /operator/checks",
    path: "/operator/checks",
    expect: operatorOnly(200),
    content: ['"jit_active":true'],
  },
  {
    route: "POST /operator/organizations",
    path: "/operator/organizations",
    body: { name: "Acme Europe" },
    expect: operatorOnly(201),
    content: ['"slug":"acme-europe"', '"role":"owner"'],
    audited: [["organization.create", ({ answer }) => textIn(answer, "id")]],
  },
  {
    route: "GET /operator/users",
    path: "/operator/users",
    expect: operatorOnly(200),
    content: ['"memberships":[{"slug":"acme","role":"member"}]'],
  },
  {
    route: "POST /operator/users",
    path: "/operator/users",
    body: { name: "New", password: "a long enough one" },
    expect: operatorOnly(201),
    content: ['"name":"new"', '"memberships":[]'],
    audited: [["user.create", ({ answer }) => textIn(answer, "id")]],
  },
  {
    route: "PUT /operator/users/{userId}/password",
    path: ({ plane }) => `/operator/users/${plane.userId("stranger")}/password`,
    body: { password: "a long enough one" },
    expect: operatorOnly(204),
    audited: [["user.set_password", ({ plane }) => plane.userId("stranger")]],
  },
  {
    route: "POST /operator/users/{userId}/unlock",
    path: ({ plane }) => `/operator/users/${plane.userId("stranger")}/unlock`,
    expect: operatorOnly(204),
    audited: [["user.unlock", ({ plane }) => plane.userId("stranger")]],
  },
  {
    route: "DELETE /operator/users/{userId}",
    path: ({ plane }) => `/operator/users/${plane.userId("stranger")}`,
    expect: operatorOnly(204),
    audited: [["user.delete", ({ plane }) => plane.userId("stranger")]],
  },
  {
    route: "GET /operator/master-key",
    path: "/operator/master-key",
    expect: operatorOnly(200),
    content: ['"previous_key_id":null,"rows_left":0'],
  },
  {
    route: "POST /operator/master-key/rotation",
    path: "/operator/master-key/rotation",
    body: { new_key: NEW_KEY.toBase64() },
    expect: operatorOnly(202),
    content: [`{"key_id":"${NEW_ID}","previous_key_id":"`],
    audited: [["master_key.rotate", () => NEW_ID]],
  },
  {
    route: "POST /operator/master-key/rotation/finish",
    path: "/operator/master-key/rotation/finish",
    expect: operatorOnly(200),
    content: ['"previous_key_id":null,"rows_left":0'],
    before: async ({ plane }) => {
      await plane.rotation.begin(NEW_KEY, systemAct(plane.clock.wallMs()));
      while ((await plane.rotation.step()) > 0);
    },
    audited: [["master_key.finish", () => NEW_ID]],
  },
];

/** An organization that has one of everything, and what tests know of it. */
export interface World {
  readonly plane: TestPlane;
  readonly keyId: string;
  /** The text of that key. */
  readonly secret: string;
  readonly configId: string;
  /** The sealed provider key. */
  readonly sealed: string;
}

/** Opens a management plane in which every scenario succeeds. */
export async function openWorld(): Promise<World> {
  const plane = await openPlane();
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
  const act = { actor: "system", address: "192.0.2.1", nowMs: plane.clock.wallMs() };
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
  const config = await plane.db
    .selectFrom("provider_configs")
    .selectAll()
    .executeTakeFirstOrThrow();
  const keyId = idOf(created.json["key"]);
  const secret = textIn(created, "secret");
  return { plane, keyId, secret, configId: config.id, sealed: config.sealed_key };
}

/** Makes the request of a scenario, with another body if one is given. */
export function askScenario(
  world: World,
  { path, body, route }: ApiScenario,
  asking: {
    readonly as: Asker;
    readonly headers?: Record<string, string>;
    readonly body?: unknown;
  },
): Promise<Answer> {
  return world.plane.ask({
    method: route.split(" ")[0] ?? "",
    path: typeof path === "string" ? path : path(world),
    body,
    ...asking,
  });
}

/** Returns everything that the rows say, to see that a refused request changed nothing. */
export async function contentsOf({ db }: TestPlane): Promise<string> {
  const tables = [
    "memberships",
    "provider_configs",
    "inference_keys",
    "org_settings",
    "model_prices",
    "users",
    "organizations",
    "master_keys",
    "audit_events",
  ] as const;
  const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
  return JSON.stringify(rows);
}

function idOf(object: Json | undefined): string {
  const id = typeof object === "object" && object !== null && "id" in object ? object["id"] : null;
  if (typeof id === "string") return id;
  throw new Error("Cannot find an id in the answer");
}
