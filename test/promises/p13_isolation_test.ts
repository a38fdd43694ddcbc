import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { recordAuditEvent, systemAct } from "../../src/store/audit.ts";
import type { Answer } from "../support/management_plane.ts";
import { CALL_ID, contentsOf, openWorld, SCENARIOS, type World } from "../support/scenarios.ts";

// P13: to a member of one organization, what belongs to another one looks like what does not exist, byte for byte, and
// nothing of it changes.

const NOWHERE = "019ecb27-2200-7440-b544-0000000000ff";

let world: World;
let contents = "";
beforeAll(async () => {
  world = await openWorld();
  const { db, clock, organizationId } = world.plane;
  await recordAuditEvent(db, systemAct(clock.wallMs()), {
    organizationId,
    action: "x.do",
    target: "canary-of-acme",
  });
  contents = await contentsOf(world.plane);
});
afterAll(() => world.plane.database.close());

/** Asks as the owner of the other organization. */
function asOutsider(method: string, path: string, body?: unknown): Promise<Answer> {
  return world.plane.ask({ as: "outsider", method, path, body });
}

/** Returns everything of an answer that somebody could compare. */
function seen({ status, text, headers }: Answer) {
  return { status, text, headers: [...headers] };
}

const ROUTES = SCENARIOS.filter(({ route }) => route.includes("{orgId}"));

describe.each(ROUTES)("$route", ({ route, path, body }) => {
  test("P13: in another organization it answers as in none", async () => {
    const method = route.split(" ")[0] ?? "";
    const text = typeof path === "string" ? path : path(world);
    const foreign = await asOutsider(method, text, body);
    expect(foreign.status).toBe(404);
    for (const id of [NOWHERE, "acme", "%00", NOWHERE.toUpperCase()]) {
      const missing = await asOutsider(method, text.replace("{org}", id), body);
      expect(seen(missing)).toEqual(seen(foreign));
    }
    expect(await contentsOf(world.plane)).toBe(contents);
  });
});

/** Objects of the one organization, and requests for them in the other, where the asker is owner. */
const OBJECTS: {
  name: string;
  method: string;
  /** The path in which `{id}` stands for the object. */
  path: string;
  id: (world: World) => string;
  body?: unknown;
}[] = [
  {
    name: "changing a key",
    method: "PATCH",
    path: "/inference/keys/{id}",
    id: ({ keyId }) => keyId,
    body: { status: "suspended" },
  },
  {
    name: "revoking a key",
    method: "DELETE",
    path: "/inference/keys/{id}",
    id: ({ keyId }) => keyId,
  },
  {
    name: "removing a member",
    method: "DELETE",
    path: "/members/{id}",
    id: ({ plane }) => plane.userId("member"),
  },
  {
    name: "removing an owner",
    method: "DELETE",
    path: "/members/{id}",
    id: ({ plane }) => plane.userId("owner"),
  },
  { name: "reading a call", method: "GET", path: "/inference/calls/{id}", id: () => CALL_ID },
  {
    name: "deleting a price",
    method: "DELETE",
    path: "/inference/prices/azure_openai/{id}",
    id: () => "prod%2Fone",
  },
  {
    name: "deleting a provider config",
    method: "DELETE",
    path: "/inference/providers/{id}",
    id: () => "openai",
  },
];

describe.each(OBJECTS)("$name", ({ method, path, id, body }) => {
  test("P13: of another organization is like one that is not there", async () => {
    const below = `/organizations/${world.plane.otherId}${path}`;
    const foreign = await asOutsider(method, below.replace("{id}", id(world)), body);
    expect(foreign.status).toBe(404);
    for (const missing of [NOWHERE, "x", "..%2F", "'--"]) {
      const answer = await asOutsider(method, below.replace("{id}", missing), body);
      expect(seen(answer)).toEqual(seen(foreign));
    }
    expect(await contentsOf(world.plane)).toBe(contents);
  });
});

const LISTS = [
  "/members",
  "/inference/providers",
  "/inference/keys",
  "/inference/prices",
  "/inference/usage?from=2026-01-01T00:00:00Z",
  "/inference/audit?limit=200",
];

test.each(LISTS)("P13: %s holds nothing of another organization", async (path) => {
  const { plane, keyId, configId } = world;
  const own = await asOutsider("GET", `/organizations/${plane.otherId}${path}`);
  expect(own.status).toBe(200);
  const foreign = [
    keyId,
    configId,
    CALL_ID,
    plane.userId("owner"),
    plane.organizationId,
    "canary-of-acme",
    "prod/one",
    "gpt-5",
  ];
  for (const text of foreign) expect(own.text).not.toContain(text);
});

test("P13: pages of the trail cannot be turned into another organization's", async () => {
  const { plane } = world;
  const rows = await plane.db
    .selectFrom("audit_events")
    .select("id")
    .where("organization_id", "=", plane.organizationId)
    .execute();
  const path = `/organizations/${plane.otherId}/inference/audit?limit=200`;
  const all = (await asOutsider("GET", path)).json["events"] as { id: string }[];
  for (const { id } of rows) {
    const page = await asOutsider("GET", `${path}&before=${id}`);
    const events = page.json["events"] as { id: string }[];
    for (const event of events) expect(all.map((one) => one.id)).toContain(event.id);
  }
});

test("P13: naming another organization in a header or the query leads nowhere", async () => {
  const { plane } = world;
  const path = `/organizations/${plane.otherId}/inference/keys`;
  const headers = { "x-active-org-id": plane.organizationId };
  const contradicted = await plane.ask({ as: "outsider", path, headers });
  expect(contradicted.status).toBe(400);
  const query = `?organization_id=${plane.organizationId}&orgId=${plane.organizationId}`;
  expect((await asOutsider("GET", `${path}${query}`)).json).toEqual({ keys: [] });
});
