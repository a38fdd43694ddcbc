import { afterEach, beforeEach, expect, test } from "bun:test";
import { expireHolds, lastBilledMonth } from "../../src/store/ledger_recovery.ts";
import { type LedgerStatements, prepareLedger } from "../../src/store/ledger_statements.ts";
import { RollUp } from "../../src/store/roll_up.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { callRows, createOrganization } from "../support/ledger.ts";

const NOON_MS = Date.UTC(2026, 5, 15, 12);
const CENT = 1_000_000;

let database: TestDatabase;
let statements: LedgerStatements;
beforeEach(async () => {
  database = await openTestDatabase();
  statements = prepareLedger(database);
  await createOrganization(database, "acme", 3);
});
afterEach(() => database.close());

/** Leaves a call open that holds 100 input and 900 output tokens and one cent. */
function leaveOpen(id: string, month = 202606, heldCost = CENT): void {
  const model = "openai/gpt-5";
  statements.insertCall.run(
    id,
    "acme",
    "key",
    "openai",
    "chat",
    model,
    1,
    NOON_MS,
    month,
    1_000,
    heldCost,
    100,
  );
}

const expire = (nowMs = NOON_MS + 60_000) =>
  expireHolds(database, statements, new RollUp(statements), nowMs);
const valuesOf = (query: string): unknown[] => database.connection.query(query).values();

test("a call left open is posted as an estimate: at its whole hold, or at what it last noted", () => {
  leaveOpen("call-1");
  leaveOpen("call-2");
  statements.checkpointCall.run(250, 7_000, "call-2");
  expect(expire()).toEqual({ calls: 2, circuits: 0 });
  const common = { state: "expired", ending: null, ended_at_ms: NOON_MS + 60_000, estimated: 1 };
  expect(callRows(database)).toMatchObject([
    { ...common, input_tokens: 100, output_tokens: 900, cost_microcents: CENT, price_id: null },
    { ...common, input_tokens: 100, output_tokens: 250, cost_microcents: 7_000, price_id: null },
  ]);
  expect(valuesOf("select * from key_months")).toEqual([["key", 202606, 1_350]]);
  expect(valuesOf("select * from org_months")).toEqual([["acme", 202606, CENT + 7_000]]);
  expect(
    valuesOf("select hour, calls, estimated_calls, input_tokens, output_tokens from usage_hours"),
  ).toEqual([[Math.floor(NOON_MS / 3_600_000), 2, 2, 200, 1_150]]);
});

test("nothing is posted twice, and settled calls stay as they are", () => {
  leaveOpen("call-1");
  leaveOpen("call-2");
  database.connection.run("update calls set state = 'voided', ended_at_ms = 1 where id = 'call-2'");
  const [, voided] = callRows(database);
  expect(expire()).toEqual({ calls: 1, circuits: 0 });
  expect(expire()).toEqual({ calls: 0, circuits: 0 });
  expect(callRows(database)[1]).toEqual(voided as never);
  expect(valuesOf("select used_tokens from key_months")).toEqual([[1_000]]);
});

test("a call counts in the month of its admission, however late the start is", () => {
  leaveOpen("call-1", 202605, 3 * CENT);
  expect(expire(Date.UTC(2026, 8, 1))).toEqual({ calls: 1, circuits: 0 });
  expect(valuesOf("select month from key_months")).toEqual([[202605]]);
  expect(valuesOf("select circuit_opened_at_ms from org_settings")).toEqual([[null]]);
});

test("a cost circuit trips that the estimates bring to its limit, and says so in the audit trail", async () => {
  await createOrganization(database, "other", 3);
  leaveOpen("call-1", 202606, 3 * CENT);
  expect(expire()).toEqual({ calls: 1, circuits: 1 });
  expect(
    valuesOf("select organization_id, circuit_opened_at_ms from org_settings order by 1"),
  ).toEqual([
    ["acme", NOON_MS + 60_000],
    ["other", null],
  ]);
  expect(valuesOf("select organization_id, actor, action, target from audit_events")).toEqual([
    ["acme", "system", "cost_circuit.trip", "acme"],
  ]);
});

test("if the estimates cannot be written, every call stays open", () => {
  leaveOpen("call-1");
  leaveOpen("call-2");
  database.connection.run("alter table usage_hours rename to away");
  expect(() => expire()).toThrow();
  expect(callRows(database).map(({ state }) => state)).toEqual(["pending", "pending"]);
  expect(database.connection.inTransaction).toBe(false);
  database.connection.run("alter table away rename to usage_hours");
  expect(expire()).toEqual({ calls: 2, circuits: 0 });
});

test("the last month that was billed is known, and that there is none", () => {
  expect(lastBilledMonth(database)).toBe(0);
  statements.addOrgMonth.run("acme", 202606, 1);
  statements.addOrgMonth.run("other", 202512, 1);
  expect(lastBilledMonth(database)).toBe(202606);
});
