import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { uuid7 } from "../../src/std/uuid7.ts";
import { Accounts } from "../../src/store/accounts.ts";
import { prepareLedger } from "../../src/store/ledger_statements.ts";
import { manualClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { createOrganization } from "../support/ledger.ts";

const JUNE = 202606;
const JULY = 202607;

let database: TestDatabase;
const clock = manualClock();
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

const open = (): Accounts => new Accounts(database, clock);

/** Writes a call that was admitted before the start. */
function addCall(keyId: string, ageMs: number): void {
  const atMs = clock.wallMs() - ageMs;
  const names = ["openai", "chat", "openai/m"] as const;
  const { insertCall } = prepareLedger(database);
  insertCall.run(uuid7(atMs), "acme", keyId, ...names, 0, atMs, JUNE, 1, 1, 1);
}

describe("a key's account", () => {
  test("begins with what its rows say of the month, and keeps what it counted since", () => {
    prepareLedger(database).addKeyMonth.run("key", JUNE, 70);
    const accounts = open();
    const account = accounts.key("key", JUNE);
    expect(account.current).toEqual({ month: JUNE, used: 70, held: 0 });
    account.current.held = 5;
    expect(accounts.key("key", JUNE)).toBe(account);
    expect(accounts.knownKey("key")?.current.held).toBe(5);
    expect(accounts.key("other", JUNE).current).toEqual({ month: JUNE, used: 0, held: 0 });
  });

  test("turns to a new month, while calls of the old one keep theirs", () => {
    const accounts = open();
    const june = accounts.key("key", JUNE).current;
    june.held = 5;
    expect(accounts.key("key", JULY).current).toEqual({ month: JULY, used: 0, held: 0 });
    expect(june).toEqual({ month: JUNE, used: 0, held: 5 });
  });

  test("keeps the admissions before the start for a key whose rows cannot be read at first", () => {
    addCall("key", 1_000);
    const accounts = open();
    database.connection.run("alter table key_months rename to gone");
    expect(() => accounts.key("key", JUNE)).toThrow();
    expect(accounts.rate("key").remaining(clock.monotonicMs(), 3)).toBe(2);
    database.connection.run("alter table gone rename to key_months");
    expect(accounts.key("key", JUNE).rate.remaining(clock.monotonicMs(), 3)).toBe(2);
  });

  test("is not made up for a key that never called", () => {
    expect(open().knownKey("key")).toBeUndefined();
  });

  test("remembers the admissions of the minute before the start, oldest first, and no older ones", () => {
    for (const [key, ageMs] of [
      ["key", 1_000],
      ["key", 59_000],
      ["key", 90_000],
      ["other", 500],
    ] as const)
      addCall(key, ageMs);
    const { rate } = open().key("key", JUNE);
    const nowMs = clock.monotonicMs();
    expect(rate.remaining(nowMs, 10)).toBe(8);
    expect(rate.waitMs(nowMs, 2)).toBeGreaterThanOrEqual(1_000);
    expect(rate.times()).toEqual(rate.times().toSorted((a, b) => a - b));
  });
});

describe("an organization's account", () => {
  test("begins with its settled month, its limit and its circuit", async () => {
    await createOrganization(database, "acme", 3);
    prepareLedger(database).addOrgMonth.run("acme", JUNE, 42);
    prepareLedger(database).openCircuit.run(9, "acme");
    expect(open().organization("acme", JUNE)).toEqual({
      id: "acme",
      current: { month: JUNE, settled: 42, held: 0 },
      limitMicrocents: 3_000_000,
      circuitOpenedAtMs: 9,
    });
  });

  test("has no limit before the organization has settings, and learns it when told", async () => {
    const accounts = open();
    expect(accounts.organization("acme", JUNE).limitMicrocents).toBeNull();
    await createOrganization(database, "acme", 3);
    accounts.settingsChanged("acme", null);
    expect(accounts.organization("acme", JUNE).limitMicrocents).toBe(3_000_000);
  });

  test("keeps its circuit open for a trip that its row does not say yet, and its month", async () => {
    await createOrganization(database, "acme", 3);
    const accounts = open();
    accounts.organization("acme", JUNE).current.settled = 5;
    accounts.settingsChanged("acme", 7);
    const { circuitOpenedAtMs, current } = accounts.organization("acme", JUNE);
    expect([circuitOpenedAtMs, current.settled]).toEqual([7, 5]);
    accounts.settingsChanged("acme", null);
    expect(accounts.organization("acme", JUNE).circuitOpenedAtMs).toBeNull();
  });

  test("keeps limit and circuit in a new month, and begins to count anew", async () => {
    await createOrganization(database, "acme", 3);
    const accounts = open();
    const account = accounts.organization("acme", JUNE);
    account.current.settled = 5;
    account.circuitOpenedAtMs = 9;
    expect(accounts.organization("acme", JULY)).toMatchObject({
      current: { month: JULY, settled: 0, held: 0 },
      limitMicrocents: 3_000_000,
      circuitOpenedAtMs: 9,
    });
  });

  test("that nobody asked for is not read when its settings change", () => {
    open().settingsChanged("nobody", 7);
    expect(open().organization("nobody", JUNE).circuitOpenedAtMs).toBeNull();
  });
});

describe("sweeping", () => {
  const MANY = 10_000;

  /** Opens accounts of so many keys that sweeping is worth it. */
  function openMany(): Accounts {
    const accounts = open();
    for (let index = 0; index < MANY; index += 1) accounts.key(`key-${index}`, JUNE);
    return accounts;
  }

  test("forgets keys that hold nothing and were quiet for a minute, and no others", () => {
    const accounts = openMany();
    accounts.key("key-1", JUNE).current.held = 1;
    accounts.key("key-2", JUNE).rate.add(clock.monotonicMs());
    accounts.sweep();
    const known = ["key-0", "key-1", "key-2", "key-3"].map((id) => accounts.knownKey(id)?.id);
    expect(known).toEqual([undefined, "key-1", "key-2", undefined]);
    clock.advance(60_000);
    for (let index = 0; index < MANY; index += 1) accounts.key(`more-${index}`, JUNE);
    accounts.sweep();
    expect(accounts.knownKey("key-1")?.current.held).toBe(1);
    expect(accounts.knownKey("key-2")).toBeUndefined();
  });

  test("loses nothing: what was used is read again from rows", () => {
    const accounts = openMany();
    prepareLedger(database).addKeyMonth.run("key-0", JUNE, 70);
    expect(accounts.key("key-0", JUNE).current.used).toBe(0);
    accounts.sweep();
    expect(accounts.key("key-0", JUNE).current.used).toBe(70);
  });

  test("leaves few keys alone", () => {
    const accounts = open();
    const account = accounts.key("key", JUNE);
    accounts.sweep();
    expect(accounts.knownKey("key")).toBe(account);
  });
});
