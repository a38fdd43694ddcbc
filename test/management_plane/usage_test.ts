import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openPlane, type TestPlane } from "../support/management_plane.ts";
import { addUsageHour, KEY_ID, postedCall } from "../support/usage.ts";

const PATH = "/organizations/{org}/inference/usage";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const report = (query = "") => plane.ask({ path: `${PATH}${query}` });

describe("GET usage", () => {
  test("reports this month up to now, by model, as the ledger has settled it", async () => {
    plane.live.onFlush = async () => {
      await addUsageHour(plane.db, plane.organizationId, Date.UTC(2026, 5, 1));
      await addUsageHour(plane.db, plane.organizationId, Date.UTC(2026, 5, 15, 11));
      await addUsageHour(plane.db, plane.organizationId, Date.UTC(2026, 4, 31, 23));
      await addUsageHour(plane.db, plane.otherId, Date.UTC(2026, 5, 2));
    };
    expect((await report()).json).toEqual({
      from: "2026-06-01T00:00:00Z",
      to: "2026-06-15T12:00:00Z",
      group_by: "model",
      rows: [
        {
          group_key: "openai/gpt-5",
          provider: "openai",
          calls: 2,
          estimated_calls: 0,
          input_tokens: 200,
          cache_read_tokens: 40,
          cache_write_tokens: 0,
          output_tokens: 20,
          reasoning_tokens: 8,
          total_tokens: 220,
          cost_microcents: 10,
        },
      ],
    });
  });

  test("counts the hour that is not over yet", async () => {
    plane.clock.advance(60_000);
    await addUsageHour(plane.db, plane.organizationId, plane.clock.wallMs());
    expect((await report()).json["rows"]).toMatchObject([{ calls: 1 }]);
  });

  test("reports by key and over any time asked for", async () => {
    await addUsageHour(plane.db, plane.organizationId, Date.UTC(2025, 0, 1));
    const { json } = await report(
      "?from=2025-01-01T01:30:00%2B01:30&to=2025-01-01T01:00:00Z&group_by=key",
    );
    expect(json).toMatchObject({
      from: "2025-01-01T00:00:00Z",
      to: "2025-01-01T01:00:00Z",
      group_by: "key",
      rows: [{ group_key: KEY_ID, provider: "openai" }],
    });
  });

  test("reports by provider, hour and day", async () => {
    await addUsageHour(plane.db, plane.organizationId, Date.UTC(2026, 5, 3, 4));
    const groups = ["provider", "hour", "day"].map(async (group) => {
      const { json } = await report(`?group_by=${group}&from=2026-05-15T12:00:00Z`);
      expect(json).toMatchObject({ group_by: group, rows: [{ provider: "openai", calls: 1 }] });
      return JSON.stringify(json["rows"]).slice(0, 40);
    });
    const [provider, hour, day] = await Promise.all(groups);
    expect(provider).toContain('"group_key":"openai"');
    expect(hour).toContain('"group_key":"2026-06-03T04:00:00Z"');
    expect(day).toContain('"group_key":"2026-06-03T00:00:00Z"');
  });

  test("a call of this very millisecond counts up to now, and not up to a time given", async () => {
    const { clock, db, organizationId } = plane;
    clock.advance(250);
    const atMs = clock.wallMs();
    await addUsageHour(db, organizationId, atMs);
    await db.insertInto("calls").values(postedCall(organizationId, atMs)).execute();
    expect((await report()).json).toMatchObject({
      to: "2026-06-15T12:00:00Z",
      rows: [{ calls: 1 }],
    });
    expect((await report("?to=2026-06-15T12:00:00.250Z")).json["rows"]).toEqual([]);
    expect((await report("?to=2026-06-15T12:00:00.251Z")).json["rows"]).toMatchObject([
      { calls: 1 },
    ]);
    clock.advance(-1);
    expect((await report()).json["rows"]).toEqual([]);
  });

  test("an offset whose plus was not escaped is understood", async () => {
    const { json } = await report("?from=2026-06-01T02:00:00+02:00");
    expect(json["from"]).toBe("2026-06-01T00:00:00Z");
  });

  test("in the first moment of a month there is nothing to report, and no error", async () => {
    plane.clock.advance(Date.UTC(2026, 6, 1) - plane.clock.wallMs());
    const { status, json } = await report();
    expect(status).toBe(200);
    expect(json).toMatchObject({
      from: "2026-07-01T00:00:00Z",
      to: "2026-07-01T00:00:00Z",
      rows: [],
    });
  });

  const BAD = [
    "?from=yesterday",
    "?from=",
    "?to=2026-06-31T00:00:00Z",
    "?from=2026-06-01",
    "?from=1767225600",
    "?from=2026-06-02T00:00:00Z&to=2026-06-01T00:00:00Z",
    "?from=2026-06-01T00:00:00Z&to=2026-06-01T00:00:00Z",
    "?from=2027-01-01T00:00:00Z",
    "?group_by=month",
    "?group_by=",
    "?group_by=Model",
    "?from=%",
    "?group_by=hour&from=2026-05-15T11:59:59Z",
  ];
  test.each(BAD)("refuses %s", async (query) => {
    expect(await report(query)).toMatchObject({ status: 400, json: { code: "invalid_request" } });
  });
});
