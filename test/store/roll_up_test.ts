import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { prepareLedger } from "../../src/store/ledger_statements.ts";
import { type Charge, RollUp } from "../../src/store/roll_up.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let rollUp: RollUp;
beforeEach(async () => {
  database = await openTestDatabase();
  rollUp = new RollUp(prepareLedger(database));
});
afterEach(() => database.close());

const HOUR_MS = 3_600_000;
const CHARGE: Charge = {
  organizationId: "org",
  keyId: "key",
  provider: "openai",
  requestedModel: "openai/gpt 5",
  admittedAtMs: 10 * HOUR_MS,
  month: 197001,
  estimated: false,
  usage: {
    inputTokens: 100,
    cacheReadTokens: 40,
    cacheWriteTokens: 20,
    outputTokens: 10,
    reasoningTokens: 5,
  },
  costMicrocents: 7,
};

const valuesOf = (query: string): unknown[] => database.connection.query(query).values();
const hours = (): unknown[] =>
  valuesOf("select hour, calls, estimated_calls, cost_microcents from usage_hours order by hour");

test("charges of one hour are one sum, up to its last millisecond", () => {
  rollUp.add(CHARGE);
  rollUp.add({ ...CHARGE, admittedAtMs: 11 * HOUR_MS - 1, estimated: true, costMicrocents: 8 });
  rollUp.add({ ...CHARGE, admittedAtMs: 11 * HOUR_MS });
  rollUp.write();
  expect(hours()).toEqual([
    [10, 2, 1, 15],
    [11, 1, 0, 7],
  ]);
  expect(valuesOf("select * from key_months")).toEqual([["key", 197001, 330]]);
  expect(valuesOf("select * from org_months")).toEqual([["org", 197001, 22]]);
});

test("a sum has every kind of token", () => {
  rollUp.add(CHARGE);
  rollUp.add(CHARGE);
  rollUp.write();
  const columns =
    "input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens";
  expect(valuesOf(`select ${columns} from usage_hours`)).toEqual([[200, 80, 40, 20, 10]]);
});

test("what differs in any name is a sum of its own", () => {
  const others: Partial<Charge>[] = [
    {},
    { organizationId: "org 2" },
    { keyId: "key 2" },
    { provider: "groq" },
    { requestedModel: "openai/gpt" },
    { admittedAtMs: 0 },
  ];
  for (const other of others) rollUp.add({ ...CHARGE, ...other });
  rollUp.write();
  expect(valuesOf("select calls from usage_hours")).toEqual(others.map(() => [1]));
});

test("an hour that belongs to two months counts in both", () => {
  rollUp.add(CHARGE);
  rollUp.add({ ...CHARGE, month: 197002 });
  rollUp.write();
  expect(hours()).toEqual([[10, 2, 0, 14]]);
  expect(valuesOf("select month, used_tokens from key_months order by month")).toEqual([
    [197001, 110],
    [197002, 110],
  ]);
});

test("an organization's month is written once, however many keys called", () => {
  const statements = prepareLedger(database);
  const written = spyOn(statements.addOrgMonth, "run");
  const sums = new RollUp(statements);
  for (const keyId of ["a", "b", "c"]) sums.add({ ...CHARGE, keyId });
  sums.add({ ...CHARGE, month: 197002 });
  sums.add({ ...CHARGE, organizationId: "other" });
  sums.write();
  expect(written.mock.calls).toEqual([
    ["org", 197001, 21],
    ["org", 197002, 7],
    ["other", 197001, 7],
  ]);
});

test("what was written is not written again, and what was dropped is not written", () => {
  rollUp.add(CHARGE);
  rollUp.write();
  rollUp.write();
  rollUp.add(CHARGE);
  rollUp.clear();
  rollUp.write();
  expect(hours()).toEqual([[10, 1, 0, 7]]);
  rollUp.add(CHARGE);
  rollUp.write();
  expect(hours()).toEqual([[10, 2, 0, 14]]);
});
