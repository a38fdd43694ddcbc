import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ROUTES } from "../../src/management_plane/routes.ts";
import { NEW_KEY } from "../support/master_keys.ts";
import {
  type ApiScenario,
  askScenario,
  contentsOf,
  openWorld,
  SCENARIOS,
  type World,
} from "../support/scenarios.ts";

// Whatever a body holds beside what its route takes is refused, and then nothing has changed.

let world: World;
let contents = "";
beforeAll(async () => {
  world = await openWorld();
  contents = await contentsOf(world.plane);
});
afterAll(() => world.plane.database.close());

/** Every route that takes a body, with one that holds each member it takes. */
const WHOLE: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "POST /organizations/{orgId}/members": { user: "new", role: "member", password: "p".repeat(12) },
  "PUT /organizations/{orgId}/inference/providers": {
    provider: "openai",
    api_key: "sk-1",
    base_url: "https://eu.api.openai.com/v1",
    eu_endpoint: true,
    enabled: true,
  },
  "POST /organizations/{orgId}/inference/keys": {
    name: "app",
    monthly_token_limit: 1000,
    rate_limit_rpm: 60,
  },
  "PATCH /organizations/{orgId}/inference/keys/{keyId}": {
    name: "app",
    monthly_token_limit: 1000,
    rate_limit_rpm: 60,
    status: "suspended",
  },
  "PUT /organizations/{orgId}/inference/settings": {
    monthly_cost_limit_cents: 700,
    eu_only: true,
    reset_circuit: true,
  },
  "PUT /organizations/{orgId}/inference/prices": {
    model: "openai/own",
    input_microcents_per_million_tokens: 1,
    output_microcents_per_million_tokens: 1,
    cache_read_microcents_per_million_tokens: 1,
    cache_write_microcents_per_million_tokens: 1,
    cache_write_1h_microcents_per_million_tokens: 1,
    input_audio_microcents_per_million_tokens: 1,
    output_audio_microcents_per_million_tokens: 1,
  },
  "POST /operator/organizations": { name: "Acme Europe", slug: "acme-europe" },
  "POST /operator/users": { name: "new", password: "p".repeat(12) },
  "PUT /operator/users/{userId}/password": { password: "p".repeat(12) },
  "POST /operator/master-key/rotation": { new_key: NEW_KEY.toBase64() },
};

const WITH_BODY = SCENARIOS.filter(({ body }) => body !== undefined).map((scenario) => ({
  scenario,
  route: scenario.route,
  whole: WHOLE[scenario.route] ?? {},
}));

/** Sends a body as text and expects that it is refused and changes nothing. */
async function refuse(scenario: ApiScenario, body: string): Promise<void> {
  const as = scenario.route.includes(" /operator/") ? "operator" : "owner";
  const answer = await askScenario(world, scenario, { as, body });
  expect({ body, status: answer.status }).toEqual({ body, status: 400 });
  expect(await contentsOf(world.plane)).toBe(contents);
}

/** Writes an object as JSON, each value as the text given for it. */
function textOf(members: readonly (readonly [name: string, json: string])[]): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

function membersOf(body: Readonly<Record<string, unknown>>): [name: string, json: string][] {
  return Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)]);
}

test("every route that takes a body is here, with every member that it takes", () => {
  expect(Object.keys(WHOLE)).toEqual(WITH_BODY.map(({ route }) => route));
  const routes = ROUTES.filter(({ method }) => ["POST", "PUT", "PATCH"].includes(method));
  const bodiless = ["/unlock", "/finish", "/test"];
  const taking = routes.filter(({ pattern }) => !bodiless.some((end) => pattern.endsWith(end)));
  expect(Object.keys(WHOLE)).toEqual(taking.map(({ method, pattern }) => `${method} ${pattern}`));
});

/** What rows and answers hold, and no client decides. */
const READ_ONLY = [
  "id",
  "organization_id",
  "org_id",
  "user_id",
  "key_hash",
  "key_prefix",
  "secret",
  "password_hash",
  "sealed_key",
  "master_key_id",
  "has_api_key",
  "eu_resident",
  "is_personal",
  "tokens_used_cycle",
  "used_tokens",
  "cycle_month",
  "circuit_open",
  "circuit_opened_at",
  "circuit_opened_at_ms",
  "created_at",
  "created_at_ms",
  "updated_at",
  "revoked_at",
  "actor",
  "memberships",
];

/** What reaches further than the object that it stands in, where code is careless. */
const PROTOTYPE_KEYS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];

const BAD_NUMBERS = [
  "-1",
  "-0",
  "1.5",
  "1e400",
  "-1e400",
  "9007199254740992",
  "9007199254740993",
  "1e300",
  '"1"',
  '""',
  "true",
  "[1]",
  '{"$gt":0}',
];
const BAD_FLAGS = ["0", "1", '"true"', '""', "[]", "{}"];
const BAD_TEXTS = ["1", "true", "[]", "{}", '["a"]', '"\\u0000"'];

describe.each(WITH_BODY)("$route", ({ scenario, whole }) => {
  test("takes its whole body", async () => {
    const other = await openWorld();
    const as = scenario.route.includes(" /operator/") ? "operator" : "owner";
    const answer = await askScenario(other, scenario, { as, body: whole });
    expect(answer.status).toBe(scenario.expect[as]);
    await other.plane.database.close();
  });

  test("refuses what no client decides", async () => {
    for (const name of READ_ONLY) {
      if (Object.hasOwn(whole, name)) continue;
      for (const json of ["1", "null", '"x"'])
        await refuse(scenario, textOf([...membersOf(whole), [name, json]]));
    }
  });

  test("refuses members that every object has", async () => {
    for (const name of PROTOTYPE_KEYS)
      for (const json of ["{}", '{"role":"owner"}', "null", "1"])
        for (const members of [
          [...membersOf(whole), [name, json] as const],
          [[name, json] as const, ...membersOf(whole)],
        ])
          await refuse(scenario, textOf(members));
    expect(Object.hasOwn(Object.prototype, "role")).toBe(false);
  });

  test("refuses a member that is given twice, also in other spellings", async () => {
    for (const [name, json] of membersOf(whole)) {
      await refuse(scenario, textOf([...membersOf(whole), [name, json]]));
      const code = name.charCodeAt(0).toString(16).padStart(4, "0");
      const escaped = textOf(membersOf(whole)).slice(0, -1);
      await refuse(scenario, `${escaped},"\\u${code}${name.slice(1)}":${json}}`);
      await refuse(scenario, textOf([...membersOf(whole), [name.toUpperCase(), json]]));
      await refuse(scenario, textOf([...membersOf(whole), [`${name} `, json]]));
    }
  });

  test("refuses a value of another kind, or out of bounds", async () => {
    for (const [name, value] of Object.entries(whole)) {
      const bad =
        typeof value === "number"
          ? BAD_NUMBERS
          : typeof value === "boolean"
            ? BAD_FLAGS
            : BAD_TEXTS;
      for (const json of bad) {
        const members = membersOf(whole).filter(([other]) => other !== name);
        await refuse(scenario, textOf([...members, [name, json]]));
      }
    }
  });
});
