import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Answer, openPlane, type TestPlane } from "../support/management_plane.ts";

const PATH = "/organizations/{org}/inference/settings";
const CENT = 1_000_000;

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const get = (): Promise<Answer> => plane.ask({ path: PATH });
const put = (body: unknown): Promise<Answer> => plane.ask({ method: "PUT", path: PATH, body });

async function settle(costMicrocents: number, month = 202606): Promise<void> {
  await plane.db
    .insertInto("org_months")
    .values({ organization_id: plane.organizationId, month, cost_microcents: costMicrocents })
    .execute();
}

describe("settings", () => {
  test("are not there until a limit is set", async () => {
    expect(await get()).toMatchObject({ status: 404, json: { code: "settings_not_configured" } });
    for (const body of [{}, { eu_only: true }, { reset_circuit: true }])
      expect(await put(body)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect((await get()).status).toBe(404);
    const answer = await put({ monthly_cost_limit_cents: 500 });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      organization_id: plane.organizationId,
      eu_only: false,
      monthly_cost_limit_cents: 500,
      circuit_open: false,
      updated_at: "2026-06-15T12:00:00Z",
    });
    expect((await get()).json).toEqual(answer.json);
  });

  test("change where something is given, and the live state hears of it", async () => {
    await put({ monthly_cost_limit_cents: 500, eu_only: true });
    plane.live.told.length = 0;
    plane.clock.advance(1000);
    expect((await put({ monthly_cost_limit_cents: 600 })).json).toMatchObject({
      eu_only: true,
      monthly_cost_limit_cents: 600,
      updated_at: "2026-06-15T12:00:01Z",
    });
    expect(plane.live.told).toEqual(["flush", `organization ${plane.organizationId}`]);
    expect((await put({ eu_only: false })).json).toMatchObject({
      eu_only: false,
      monthly_cost_limit_cents: 600,
    });
    expect((await put({})).json).toMatchObject({ eu_only: false, monthly_cost_limit_cents: 600 });
  });

  const BAD: object[] = [
    { monthly_cost_limit_cents: 0 },
    { monthly_cost_limit_cents: -5 },
    { monthly_cost_limit_cents: 0.5 },
    { monthly_cost_limit_cents: 1_000_000_000_001 },
    { monthly_cost_limit_cents: "5" },
    { monthly_cost_limit_cents: null },
    { eu_only: 1 },
    { eu_only: null },
    { reset_circuit: "yes" },
    { circuit_open: false },
    { organization_id: "x" },
  ];
  test.each(BAD)("refuse %p", async (body) => {
    await put({ monthly_cost_limit_cents: 500 });
    const before = await get();
    expect(await put(body)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect((await get()).text).toBe(before.text);
  });

  test("take a limit of 10^12 cents", async () => {
    const answer = await put({ monthly_cost_limit_cents: 1_000_000_000_000 });
    expect(answer.json).toMatchObject({ circuit_open: false });
  });
});

describe("the cost circuit", () => {
  const TRIPS: [settledMicrocents: number, limitCents: number, open: boolean][] = [
    [500 * CENT, 500, true],
    [500 * CENT - 1, 500, false],
    [501 * CENT, 500, true],
    [0, 1, false],
  ];
  test.each(TRIPS)(
    "with %p settled and a limit of %p is open: %p",
    async (settled, limit, open) => {
      await put({ monthly_cost_limit_cents: 100_000 });
      await settle(settled);
      const { json } = await put({ monthly_cost_limit_cents: limit });
      expect(json).toMatchObject({ circuit_open: open });
      expect(json["circuit_opened_at"]).toBe(open ? "2026-06-15T12:00:00Z" : undefined);
    },
  );

  test("counts what was settled but not yet written", async () => {
    await put({ monthly_cost_limit_cents: 500 });
    plane.live.onFlush = () => settle(300 * CENT);
    const { json } = await put({ monthly_cost_limit_cents: 300 });
    expect(json).toMatchObject({ circuit_open: true });
  });

  test("is not closed by a higher limit alone, but by that and a reset", async () => {
    await settle(300 * CENT);
    await put({ monthly_cost_limit_cents: 300 });
    plane.clock.advance(3_600_000);
    const raised = await put({ monthly_cost_limit_cents: 900 });
    const opened = { circuit_open: true, circuit_opened_at: "2026-06-15T12:00:00Z" };
    expect(raised.json).toMatchObject(opened);
    const reset = await put({ reset_circuit: true });
    expect(reset.json).toMatchObject({ circuit_open: false, monthly_cost_limit_cents: 900 });
    expect(reset.json).not.toHaveProperty("circuit_opened_at");
  });

  test("is not reset while the cost is at the limit, and nothing else changes then", async () => {
    await settle(300 * CENT);
    await put({ monthly_cost_limit_cents: 300 });
    const before = await get();
    for (const body of [
      { reset_circuit: true },
      { reset_circuit: true, monthly_cost_limit_cents: 300 },
      { reset_circuit: true, monthly_cost_limit_cents: 200, eu_only: true },
    ])
      expect(await put(body)).toMatchObject({ status: 409, json: { code: "circuit_still_over" } });
    expect((await get()).text).toBe(before.text);
    const both = await put({ reset_circuit: true, monthly_cost_limit_cents: 301 });
    expect(both.json).toMatchObject({ circuit_open: false });
  });

  test("keeps the time when it first opened", async () => {
    await settle(300 * CENT);
    await put({ monthly_cost_limit_cents: 300 });
    plane.clock.advance(3_600_000);
    const again = await put({ monthly_cost_limit_cents: 200 });
    expect(again.json["circuit_opened_at"]).toBe("2026-06-15T12:00:00Z");
  });

  test("stays open across a month change until it is reset", async () => {
    await settle(300 * CENT);
    await put({ monthly_cost_limit_cents: 300 });
    plane.clock.advance(30 * 86_400_000);
    expect((await put({})).json).toMatchObject({ circuit_open: true });
    expect((await put({ reset_circuit: true })).json).toMatchObject({ circuit_open: false });
  });

  test("who reset it is written down", async () => {
    await put({ monthly_cost_limit_cents: 300 });
    await plane.ask({ as: "admin", method: "PUT", path: PATH, body: { reset_circuit: true } });
    const events = await plane.db
      .selectFrom("audit_events")
      .select(["actor", "detail"])
      .where("action", "=", "settings.save")
      .orderBy("id")
      .execute();
    expect(events.map((event) => event.actor)).toEqual(["owner", "admin"]);
  });
});
