import { expect, test } from "bun:test";
import {
  reportUsage,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageQuery,
} from "../../src/store/usage_report.ts";
import { uuid7 } from "../../src/std/uuid7.ts";
import { formatRfc3339 } from "../../src/std/rfc3339.ts";
import type { Row } from "../../src/store/tables.ts";
import { manualClock } from "../support/clock.ts";
import { callOf, callRows, openTestLedger, settlementOf } from "../support/ledger.ts";
import { withOrganizations } from "../support/store.ts";
import { addUsageHour, KEY_ID } from "../support/usage.ts";

const OTHER_KEY = "019ecb27-2200-7440-b544-000000000001";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 24 * HOUR_MS;
const MONTH = { fromMs: START_MS, toMs: Date.UTC(2026, 6, 1), groupBy: "model" } as const;

test(
  "calls are summed up by model, the most expensive first",
  withOrganizations(async ({ db }, organizationId, other) => {
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/b" });
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/a" });
    const big = {
      requested_model: "mistral/m",
      provider: "mistral",
      cost_microcents: 300,
    } as const;
    await addUsageHour(db, organizationId, START_MS, { ...big, calls: 2 });
    await addUsageHour(db, organizationId, START_MS + HOUR_MS, { ...big, key_id: "key-2" });
    await addUsageHour(db, other, START_MS, { cost_microcents: 9999 });
    const small = {
      calls: 1,
      estimated_calls: 0,
      input_tokens: 100,
      cache_read_tokens: 20,
      cache_write_tokens: 0,
      output_tokens: 10,
      reasoning_tokens: 4,
      cost_microcents: 5,
    };
    expect(await reportUsage(db, { ...MONTH, organizationId })).toEqual([
      {
        group_key: "mistral/m",
        provider: "mistral",
        calls: 3,
        estimated_calls: 0,
        input_tokens: 200,
        cache_read_tokens: 40,
        cache_write_tokens: 0,
        output_tokens: 20,
        reasoning_tokens: 8,
        cost_microcents: 600,
      },
      { group_key: "openai/a", provider: "openai", ...small },
      { group_key: "openai/b", provider: "openai", ...small },
    ]);
  }),
);

test(
  "calls are summed up by key and provider",
  withOrganizations(async ({ db }, organizationId) => {
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/a" });
    await addUsageHour(db, organizationId, START_MS, { requested_model: "openai/b" });
    await addUsageHour(db, organizationId, START_MS, {
      provider: "groq",
      requested_model: "groq/g",
    });
    await addUsageHour(db, organizationId, START_MS, { key_id: OTHER_KEY });
    const rows = await reportUsage(db, { ...MONTH, organizationId, groupBy: "key" });
    expect(rows.map((row) => [row.group_key, row.provider, row.calls])).toEqual([
      [KEY_ID, "openai", 2],
      [OTHER_KEY, "openai", 1],
      [KEY_ID, "groq", 1],
    ]);
  }),
);

const RANGES: [fromMs: number, toMs: number, hours: number[]][] = [
  [0, 3 * HOUR_MS, [0, 1, 2]],
  [0, 3 * HOUR_MS + 1, [0, 1, 2, 3]],
  [0, 3 * HOUR_MS - 1, [0, 1, 2]],
  [HOUR_MS, 2 * HOUR_MS, [1]],
  [HOUR_MS + 1, 2 * HOUR_MS, [1]],
  [2 * HOUR_MS - 1, 2 * HOUR_MS, [1]],
  [4 * HOUR_MS, 9 * HOUR_MS, []],
];

test.each(RANGES)(
  "from %p to %p an hour counts whole whose calls are no longer kept",
  async (fromMs, toMs, hours) => {
    await withOrganizations(async ({ db }, organizationId) => {
      for (const hour of [0, 1, 2, 3])
        await addUsageHour(db, organizationId, START_MS + hour * HOUR_MS, {
          requested_model: `openai/${hour}`,
        });
      const range = { fromMs: START_MS + fromMs, toMs: START_MS + toMs };
      const rows = await reportUsage(db, { ...MONTH, ...range, organizationId });
      expect(rows.map((row) => row.group_key)).toEqual(hours.map((hour) => `openai/${hour}`));
    })();
  },
);

test(
  "hours and days come in their order, and say when they begin",
  withOrganizations(async ({ db }, organizationId) => {
    const atMs = [START_MS + 26 * HOUR_MS, START_MS + DAY_MS, START_MS + 3 * HOUR_MS];
    for (const [index, one] of atMs.entries())
      await addUsageHour(db, organizationId, one, { cost_microcents: 10 * (index + 1) });
    await addUsageHour(db, organizationId, START_MS + DAY_MS, { provider: "groq" });
    const keys = async (groupBy: UsageGroup) =>
      (await reportUsage(db, { ...MONTH, organizationId, groupBy })).map((row) => [
        row.group_key,
        row.provider,
        row.cost_microcents,
      ]);
    expect(await keys("hour")).toEqual([
      ["2026-06-01T03:00:00Z", "openai", 30],
      ["2026-06-02T00:00:00Z", "groq", 5],
      ["2026-06-02T00:00:00Z", "openai", 20],
      ["2026-06-02T02:00:00Z", "openai", 10],
    ]);
    expect(await keys("day")).toEqual([
      ["2026-06-01T00:00:00Z", "openai", 30],
      ["2026-06-02T00:00:00Z", "groq", 5],
      ["2026-06-02T00:00:00Z", "openai", 30],
    ]);
    expect(await keys("provider")).toEqual([
      ["openai", "openai", 60],
      ["groq", "groq", 5],
    ]);
  }),
);

/** Pauses between calls: bursts, a millisecond around the turn of an hour, and nights. */
const PAUSES_MS = [0, 1, 13_000, 1_799_999, 1, 0, 600_000, 5_400_000, 250, 19 * HOUR_MS, 3_599_999];
const MODELS = ["openai/a", "openai/b", "groq/a"];

/** Puts calls of every end into a ledger, over some days. */
async function manyCalls() {
  const clock = manualClock(START_MS - DAY_MS - 1);
  const opened = await openTestLedger(clock);
  for (let step = 0; step < 80; step += 1) {
    clock.advance(PAUSES_MS[(step * step + step) % PAUSES_MS.length] ?? 0);
    const requestedModel = MODELS[step % 3] ?? "";
    const call = callOf(clock, {
      callId: uuid7(clock.wallMs() - (step % 4) * 1_000),
      keyId: `key-${step % 5}`,
      organizationId: step % 7 === 0 ? "other" : "acme",
      provider: requestedModel.startsWith("groq/") ? "groq" : "openai",
      requestedModel,
    });
    const hold = await opened.ledger.admit(call);
    const settlement = settlementOf(step % 11 === 0 ? null : { input: step + 1, output: 2 * step });
    if (step % 13 !== 0) opened.ledger.settle(hold, settlement);
    // What is left open expires at this start.
    if (step === 40) await opened.reopen();
  }
  await opened.ledger.flush();
  return opened;
}

/** Sums up calls one by one. */
function counted(rows: readonly Row<"calls">[], { groupBy, fromMs, toMs }: UsageQuery) {
  const groupOf = (row: Row<"calls">): string => {
    const floor = (unitMs: number) =>
      formatRfc3339(Math.floor(row.admitted_at_ms / unitMs) * unitMs);
    if (groupBy === "hour" || groupBy === "day")
      return floor(groupBy === "hour" ? HOUR_MS : DAY_MS);
    return { model: row.requested_model, key: row.key_id, provider: row.provider }[groupBy];
  };
  const sums: Record<string, number[]> = {};
  for (const row of rows) {
    const charged = row.state === "posted" || row.state === "expired";
    if (!charged || row.organization_id !== "acme") continue;
    if (row.admitted_at_ms < fromMs || row.admitted_at_ms >= toMs) continue;
    const used = [1, row.estimated, row.input_tokens, row.output_tokens, row.cost_microcents];
    const name = `${groupOf(row)} ${row.provider}`;
    sums[name] = used.map((count, index) => count + (sums[name]?.[index] ?? 0));
  }
  return sums;
}

test("over any window the report is what its calls add up to", async () => {
  const { database, close } = await manyCalls();
  const rows = callRows(database);
  expect(new Set(rows.map((row) => row.state)).size).toBe(4);
  const edges = rows.filter((_, index) => index % 9 === 0).map((row) => row.admitted_at_ms);
  const turns = [START_MS - DAY_MS, START_MS, START_MS + HOUR_MS, START_MS + 2 * DAY_MS];
  const moments = [...edges, ...edges.map((ms) => ms + 1), ...turns].sort((a, b) => a - b);
  let compared = 0;
  for (const [index, fromMs] of moments.entries()) {
    for (const toMs of moments.slice(index + 1)) {
      const groupBy = USAGE_GROUPS[(compared += 1) % USAGE_GROUPS.length] ?? "model";
      const query: UsageQuery = { organizationId: "acme", fromMs, toMs, groupBy };
      const report = await reportUsage(database.db, query);
      const reported = report.map((row): [string, number[]] => [
        `${row.group_key} ${row.provider}`,
        [row.calls, row.estimated_calls, row.input_tokens, row.output_tokens, row.cost_microcents],
      ]);
      expect(Object.fromEntries(reported)).toEqual(counted(rows, query));
    }
  }
  expect(compared).toBeGreaterThan(150);
  await close();
});
