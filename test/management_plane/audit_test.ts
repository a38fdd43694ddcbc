import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/std/json.ts";
import { ROUTES } from "../../src/management_plane/routes.ts";
import { recordAuditEvent, systemAct } from "../../src/store/audit.ts";
import type { Answer, Asker } from "../support/management_plane.ts";
import {
  askScenario,
  contentsOf,
  openWorld,
  ORG,
  SCENARIOS,
  type World,
} from "../support/scenarios.ts";

const PATH = `${ORG}/inference/audit`;
const EARLY_ID = "019ecb26-0000-7440-b544-0000000000ff";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.plane.database.close());

/** Returns the ids of all events there are. */
async function eventIds(): Promise<string[]> {
  const rows = await world.plane.db.selectFrom("audit_events").select("id").execute();
  return rows.map((row) => row.id);
}

/** Returns the events that are not among these, in the order in which they were written. */
async function eventsBeside(ids: readonly string[]) {
  const rows = await world.plane.db.selectFrom("audit_events").selectAll().execute();
  return rows.filter((row) => !ids.includes(row.id));
}

/** What changes nothing, though its method is not GET. */
const QUESTIONS = ["POST /organizations/{orgId}/inference/providers/{provider}/test"];

const isRead = (route: string) => route.startsWith("GET ") || QUESTIONS.includes(route);
const CHANGES = SCENARIOS.filter(({ route }) => !isRead(route));
const READS = SCENARIOS.filter(({ route }) => isRead(route));

test("every route that changes something says what it writes down", () => {
  const routes = ROUTES.map(({ method, pattern }) => `${method} ${pattern}`);
  expect(CHANGES.map(({ route }) => route)).toEqual(routes.filter((route) => !isRead(route)));
  for (const { audited = [] } of CHANGES) expect(audited.length).toBeGreaterThan(0);
});

describe.each(CHANGES)("$route", (scenario) => {
  const { audited = [], before = async () => {}, route } = scenario;

  test("writes down what it did, once, with who and from where", async () => {
    const isOperators = route.includes(" /operator/");
    await before(world);
    const known = await eventIds();
    const answer = await askScenario(world, scenario, { as: isOperators ? "operator" : "owner" });
    expect(answer.status).toBeLessThan(300);
    const by = isOperators
      ? { actor: "operator", address: "local" }
      : { actor: "owner", address: "192.0.2.1" };
    const events = await eventsBeside(known);
    expect(events).toMatchObject(
      audited.map(([action, target]) => {
        const happened_at_ms = world.plane.clock.wallMs();
        return { ...by, action, target: target({ ...world, answer }), happened_at_ms };
      }),
    );
    const secrets = [world.plane.passwordHash, "argon2", "a long enough one", world.sealed];
    for (const secret of secrets) expect(JSON.stringify(events)).not.toContain(secret);
  });

  // Its own refusals are tested where the route is; here, that none is written down.
  test("writes nothing down when the database refuses it at the end", async () => {
    const isOperators = route.includes(" /operator/");
    await before(world);
    const contents = await contentsOf(world.plane);
    world.plane.database.connection.run(
      "create trigger refuse before insert on audit_events begin select raise(abort, 'no'); end",
    );
    const answer = await askScenario(world, scenario, { as: isOperators ? "operator" : "owner" });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(await contentsOf(world.plane)).toBe(contents);
  });
});

test.each(READS)("$route changes nothing", async (scenario) => {
  const contents = await contentsOf(world.plane);
  const as = scenario.route.includes(" /operator/") ? "operator" : "owner";
  expect((await askScenario(world, scenario, { as })).status).toBe(200);
  expect(await contentsOf(world.plane)).toBe(contents);
});

/** Asks for the trail, with a query. */
function ask(query = "", as: Asker = "owner", path = PATH): Promise<Answer> {
  return world.plane.ask({ as, path: `${path}${query}` });
}

function eventsIn(answer: Answer): JsonObject[] {
  return answer.json["events"] as JsonObject[];
}

/** Writes down that something happened to each target, each a second after the one before. */
async function happen(targets: readonly string[], changes: object = {}): Promise<void> {
  for (const target of targets) {
    world.plane.clock.advance(1000);
    const act = { ...systemAct(world.plane.clock.wallMs()), ...changes };
    const { organizationId } = world.plane;
    await recordAuditEvent(world.plane.db, act, { organizationId, action: "x.do", target });
  }
}

describe("GET audit", () => {
  test("shows what changed, and what it was before", async () => {
    const path = `${ORG}/inference/keys/${world.keyId}`;
    world.plane.clock.advance(1000);
    const body = { monthly_token_limit: 7, name: "first" };
    await world.plane.ask({ as: "admin", method: "PATCH", path, body });
    const [event] = eventsIn(await ask("?limit=1", "admin"));
    expect(event).toEqual({
      id: expect.any(String),
      happened_at: "2026-06-15T12:00:01Z",
      actor: "admin",
      address: "192.0.2.1",
      action: "inference_key.update",
      target: world.keyId,
      detail: { monthly_token_limit: { before: 5, after: 7 } },
    });
  });

  test("goes page by page, the newest first, each event once", async () => {
    await happen(["1", "2", "3", "4", "5"]);
    const seen: unknown[] = [];
    let before = "";
    for (;;) {
      const page = await ask(`?action=x.do&limit=2${before}`);
      const events = eventsIn(page);
      seen.push(events.map((event) => event["target"]));
      if (page.json["has_more"] === false) break;
      before = `&before=${events.at(-1)?.["id"]}`;
    }
    expect(seen).toEqual([["5", "4"], ["3", "2"], ["1"]]);
  });

  test("shows 50 events unless it is asked for more, and never more than 200", async () => {
    await happen(Array.from({ length: 201 }, (_, index) => `${index}`));
    expect(eventsIn(await ask())).toHaveLength(50);
    const most = await ask("?limit=200&action=x.do");
    expect(eventsIn(most)).toHaveLength(200);
    expect(most.json["has_more"]).toBe(true);
    expect((await ask("?limit=201")).status).toBe(400);
  });

  test("is narrowed by action, actor and time", async () => {
    await happen(["early"]);
    await happen(["mine"], { actor: "owner" });
    await happen(["late"]);
    const targets = async (query: string) =>
      eventsIn(await ask(`?action=x.do${query}`)).map((event) => event["target"]);
    expect(await targets("")).toEqual(["late", "mine", "early"]);
    expect(await targets("&actor=owner")).toEqual(["mine"]);
    expect(await targets("&actor=nobody")).toEqual([]);
    expect(await targets("&from=2026-06-15T12:00:02Z")).toEqual(["late", "mine"]);
    expect(await targets("&to=2026-06-15T12:00:02Z")).toEqual(["early"]);
    expect(await targets("&from=2026-06-15T12:00:02Z&to=2026-06-15T12:00:03Z")).toEqual(["mine"]);
    expect(eventsIn(await ask("?action=x"))).toEqual([]);
  });

  test("does not show other organizations' events, nor those of none", async () => {
    const { db, clock, otherId } = world.plane;
    const act = systemAct(clock.wallMs());
    for (const organizationId of [otherId, null])
      await recordAuditEvent(db, act, { organizationId, action: "x.do", target: "other" });
    expect(eventsIn(await ask("?action=x.do"))).toEqual([]);
    const own = eventsIn(await ask("?limit=200")).map((event) => event["id"]);
    const rows = await db
      .selectFrom("audit_events")
      .select("id")
      .where("organization_id", "=", world.plane.organizationId)
      .execute();
    expect(new Set(own)).toEqual(new Set(rows.map((row) => row.id)));
    expect(own).toHaveLength(rows.length);
  });

  test("shows a circuit that has just tripped", async () => {
    world.plane.live.onFlush = () => happen(["tripped"]);
    expect(eventsIn(await ask("?action=x.do"))).toMatchObject([{ target: "tripped" }]);
  });

  const BAD = [
    "limit=0",
    "limit=-1",
    "limit=1.5",
    "limit=1e2",
    "limit=",
    "limit=0x10",
    "limit=9999999999999999",
    "before=",
    "before=x",
    "before=%27--",
    "from=now",
    "to=2026-13-01T00:00:00Z",
    "page=2",
    "Limit=1",
    "__proto__=1",
    "toString=1",
    "limit=1&limit=2",
    "organization_id=x",
  ];
  test.each(BAD)("refuses ?%s", async (query) => {
    for (const [as, path] of [
      ["owner", PATH],
      ["operator", "/operator/audit"],
    ] as const) {
      const answer = await ask(`?${query}`, as, path);
      expect(answer).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    }
  });

  test("before an id of nobody is before its time", async () => {
    await happen(["1", "2"]);
    expect(eventsIn(await ask(`?before=${EARLY_ID}`)).length).toBe(0);
    const later = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    expect(eventsIn(await ask(`?action=x.do&before=${later}`))).toHaveLength(2);
  });
});

describe("GET /operator/audit", () => {
  test("shows everybody's events, and those of no organization", async () => {
    const answer = await ask("?limit=200", "operator", "/operator/audit");
    const ids = await eventIds();
    expect(eventsIn(answer).map((event) => event["id"])).toEqual(ids.toSorted().toReversed());
    const organizations = new Set(eventsIn(answer).map((event) => event["organization_id"]));
    const { organizationId, otherId } = world.plane;
    expect(organizations).toEqual(new Set([organizationId, otherId, null]));
  });

  test("is narrowed and paged like an organization's", async () => {
    await happen(["1", "2", "3"]);
    const first = await ask("?action=x.do&limit=2", "operator", "/operator/audit");
    expect(first.json["has_more"]).toBe(true);
    const id = eventsIn(first).at(-1)?.["id"];
    const rest = await ask(`?action=x.do&before=${id}`, "operator", "/operator/audit");
    expect(eventsIn(rest)).toMatchObject([{ target: "1" }]);
  });
});
