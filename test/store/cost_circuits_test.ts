import { afterEach, beforeEach, expect, test } from "bun:test";
import { createLog } from "../../src/std/log.ts";
import type { OrgAccount } from "../../src/store/accounts.ts";
import { CostCircuits } from "../../src/store/cost_circuits.ts";
import { prepareLedger } from "../../src/store/ledger_statements.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { createOrganization } from "../support/ledger.ts";

let database: TestDatabase;
let circuits: CostCircuits;
/** What waits to be written: the test decides when. */
let waiting: (() => void)[];
let lines: string[];

beforeEach(async () => {
  database = await openTestDatabase();
  await createOrganization(database, "acme");
  waiting = [];
  lines = [];
  const log = createLog({
    level: "debug",
    human: false,
    nowMs: () => 0,
    write: (line) => lines.push(line),
  });
  const commits = { patient: (write: () => void) => void waiting.push(write) };
  circuits = new CostCircuits(prepareLedger(database), commits, log);
});
afterEach(() => database.close());

const accountWith = (settled: number, changes: Partial<OrgAccount> = {}): OrgAccount => ({
  id: "acme",
  current: { month: 202606, settled, held: 0 },
  limitMicrocents: 100,
  circuitOpenedAtMs: null,
  ...changes,
});

const valuesOf = (query: string): unknown[] => database.connection.query(query).values();
const openedAt = (): unknown[] => valuesOf("select circuit_opened_at_ms from org_settings");

function trip(account: OrgAccount, nowMs: number): OrgAccount {
  circuits.tripIfOver(account, account.current, nowMs);
  return account;
}

test("a circuit trips at its limit: in memory at once, on disk with the next writes", () => {
  const account = trip(accountWith(100), 7);
  expect([account.circuitOpenedAtMs, circuits.unwrittenTripMs("acme")]).toEqual([7, 7]);
  expect(openedAt()).toEqual([[null]]);
  for (const write of waiting) write();
  expect(openedAt()).toEqual([[7]]);
  expect(valuesOf("select organization_id, actor, action, detail from audit_events")).toEqual([
    ["acme", "system", "cost_circuit.trip", '{"settled_microcents":100,"limit_microcents":100}'],
  ]);
  circuits.written();
  expect(circuits.unwrittenTripMs("acme")).toBeNull();
  expect(lines).toHaveLength(1);
});

test("a trip whose write is tried again is written and audited once", () => {
  trip(accountWith(100), 7);
  for (const write of [...waiting, ...waiting]) write();
  expect(openedAt()).toEqual([[7]]);
  expect(valuesOf("select count(*) from audit_events")).toEqual([[1]]);
});

const QUIET: readonly [name: string, account: OrgAccount][] = [
  ["below its limit", accountWith(99)],
  ["open already", accountWith(500, { circuitOpenedAtMs: 3 })],
  ["open since the epoch", accountWith(500, { circuitOpenedAtMs: 0 })],
  ["of an organization without settings", accountWith(500, { limitMicrocents: null })],
];

test.each(QUIET)("a circuit %s does not trip", (_, account) => {
  const before = account.circuitOpenedAtMs;
  expect(trip(account, 7).circuitOpenedAtMs).toBe(before);
  expect([waiting, lines, circuits.unwrittenTripMs("acme")]).toEqual([[], [], null]);
});
