import { afterEach, beforeEach, expect, test } from "bun:test";
import { type LedgerStatements, prepareLedger } from "../../src/store/ledger_statements.ts";
import type { Row } from "../../src/store/tables.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { callRows, createOrganization } from "../support/ledger.ts";

let database: TestDatabase;
let statements: LedgerStatements;
beforeEach(async () => {
  database = await openTestDatabase();
  statements = prepareLedger(database);
});
afterEach(() => database.close());

const rows = (query: string): unknown[] => database.connection.query(query).all();

// Each value is another one, so that two in the wrong order are seen.
function insert(id = "call"): void {
  statements.insertCall.run(
    id,
    "org",
    "key",
    "groq",
    "embeddings",
    "groq/m",
    1,
    11,
    12,
    13,
    14,
    15,
  );
}

const NEW: Partial<Row<"calls">> = {
  id: "call",
  organization_id: "org",
  key_id: "key",
  provider: "groq",
  operation: "embeddings",
  requested_model: "groq/m",
  streamed: 1,
  admitted_at_ms: 11,
  month: 12,
  held_tokens: 13,
  held_cost_microcents: 14,
  input_tokens: 15,
};

function settle(state: "posted" | "voided" | "expired"): number {
  return statements.settleCall.run(
    state,
    "shutdown",
    21,
    "served",
    22,
    1,
    "price",
    23,
    24,
    "rates",
    25,
    26,
    27,
    31,
    32,
    33,
    34,
    35,
    36,
    "call",
  ).changes;
}

test("a new call is pending, with what it holds and nothing used", () => {
  insert();
  expect(callRows(database)).toEqual([
    expect.objectContaining({
      ...NEW,
      state: "pending",
      ending: null,
      estimated: 0,
      output_tokens: 0,
      cost_microcents: 0,
    }) as never,
  ]);
});

test("a call is settled once, every value in its column, and other calls are left alone", () => {
  insert();
  insert("other");
  expect(settle("posted")).toBe(1);
  expect(settle("voided")).toBe(0);
  expect(callRows(database)).toEqual([
    {
      ...NEW,
      state: "posted",
      ending: "shutdown",
      ended_at_ms: 21,
      served_model: "served",
      upstream_status: 22,
      estimated: 1,
      price_id: "price",
      price_percent: 23,
      price_tier_above: 24,
      price_rates: "rates",
      cache_write_1h_tokens: 25,
      input_audio_tokens: 26,
      output_audio_tokens: 27,
      input_tokens: 31,
      cache_read_tokens: 32,
      cache_write_tokens: 33,
      output_tokens: 34,
      reasoning_tokens: 35,
      cost_microcents: 36,
    } as Row<"calls">,
    expect.objectContaining({ id: "other", state: "pending", ending: null }) as never,
  ]);
});

test("a call in flight is noted, a settled one is not", () => {
  insert();
  statements.checkpointCall.run(7, 8, "call");
  expect(callRows(database)[0]).toMatchObject({
    output_tokens: 7,
    cost_microcents: 8,
    input_tokens: 15,
  });
  settle("voided");
  expect(statements.checkpointCall.run(70, 80, "call").changes).toBe(0);
  expect(callRows(database)[0]).toMatchObject({ output_tokens: 34, cost_microcents: 36 });
});

test("the sums of a month begin with the first charge and grow with the next ones", () => {
  for (const [tokens, cost] of [
    [3, 5],
    [10, 20],
  ] as const) {
    statements.addKeyMonth.run("key", 202606, tokens);
    statements.addOrgMonth.run("org", 202606, cost);
  }
  statements.addKeyMonth.run("key", 202607, 1);
  statements.addOrgMonth.run("other", 202606, 1);
  expect(rows("select * from key_months order by month")).toEqual([
    { key_id: "key", month: 202606, used_tokens: 13 },
    { key_id: "key", month: 202607, used_tokens: 1 },
  ]);
  expect(rows("select * from org_months order by organization_id")).toEqual([
    { organization_id: "org", month: 202606, cost_microcents: 25 },
    { organization_id: "other", month: 202606, cost_microcents: 1 },
  ]);
});

test("the sums of an hour grow column by column, one row for each key and model", () => {
  const counts = [1, 2, 3, 4, 5, 6, 7, 8] as const;
  statements.addUsageHour.run("org", 9, "key", "groq", "groq/m", ...counts);
  statements.addUsageHour.run("org", 9, "key", "groq", "groq/m", 10, 20, 30, 40, 50, 60, 70, 80);
  statements.addUsageHour.run("org", 9, "key", "groq", "groq/n", ...counts);
  statements.addUsageHour.run("org", 10, "key", "groq", "groq/m", ...counts);
  expect(rows("select * from usage_hours order by hour, requested_model")).toMatchObject([
    {
      organization_id: "org",
      hour: 9,
      key_id: "key",
      provider: "groq",
      requested_model: "groq/m",
      calls: 11,
      estimated_calls: 22,
      input_tokens: 33,
      cache_read_tokens: 44,
      cache_write_tokens: 55,
      output_tokens: 66,
      reasoning_tokens: 77,
      cost_microcents: 88,
    },
    { hour: 9, requested_model: "groq/n", calls: 1, cost_microcents: 8 },
    { hour: 10, requested_model: "groq/m", calls: 1, cost_microcents: 8 },
  ]);
});

const circuits = (): unknown[] =>
  database.connection
    .query("select organization_id, circuit_opened_at_ms from org_settings order by 1")
    .values();

test("a circuit is opened once: when it opened stays", async () => {
  await createOrganization(database, "a");
  await createOrganization(database, "b");
  expect(statements.openCircuit.run(5, "a").changes).toBe(1);
  expect(statements.openCircuit.run(6, "a").changes).toBe(0);
  expect(circuits()).toEqual([
    ["a", 5],
    ["b", null],
  ]);
});

test("the circuits of all whose month is at its limit are opened, and of nobody else", async () => {
  const MONTHS: readonly (readonly [id: string, month: number, cost: number])[] = [
    ["at-limit", 202606, 3_000_000],
    ["below", 202606, 2_999_999],
    ["last-month", 202605, 9_000_000],
    ["over", 202606, 9_000_000],
    ["already", 202606, 9_000_000],
  ];
  for (const [id, month, cost] of MONTHS) {
    await createOrganization(database, id, 3);
    statements.addOrgMonth.run(id, month, cost);
  }
  statements.openCircuit.run(1, "already");
  const opened = statements.openCircuits.all(2, 202606).map((row) => row.organization_id);
  expect(opened.toSorted()).toEqual(["at-limit", "over"]);
  expect(circuits()).toEqual([
    ["already", 1],
    ["at-limit", 2],
    ["below", null],
    ["last-month", null],
    ["over", 2],
  ]);
});

test("an audit event is written with every value in its column", () => {
  statements.addAuditEvent.run("id", "org", "actor", "local", "action", "target", "{}", 7);
  expect(rows("select * from audit_events")).toEqual([
    {
      id: "id",
      organization_id: "org",
      actor: "actor",
      address: "local",
      action: "action",
      target: "target",
      detail: "{}",
      happened_at_ms: 7,
    },
  ]);
});
