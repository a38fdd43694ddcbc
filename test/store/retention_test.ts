import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createLog } from "../../src/std/log.ts";
import { Retention, STEP_CALLS_MAX } from "../../src/store/retention.ts";
import { reportUsage } from "../../src/store/usage_report.ts";
import {
  callOf,
  callRows,
  openTestLedger,
  settlementOf,
  type TestLedger,
} from "../support/ledger.ts";
import { postedCall } from "../support/usage.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let opened: TestLedger;
let lines: string[];
let retention: Retention;
beforeEach(async () => {
  opened = await openTestLedger();
  const { database, clock } = opened;
  lines = [];
  const log = createLog({
    level: "debug",
    human: false,
    nowMs: clock.wallMs,
    write: (line) => lines.push(line),
  });
  retention = new Retention(database.db, clock, log, 2 * DAY_MS);
});
afterEach(async () => {
  await retention.stop();
  await opened.close();
});

async function addCalls(count: number, atMs: number): Promise<void> {
  const rows = Array.from({ length: count }, () => postedCall("acme", atMs));
  for (let first = 0; first < count; first += 100)
    await opened.database.db
      .insertInto("calls")
      .values(rows.slice(first, first + 100))
      .execute();
}

const kept = (): number[] => callRows(opened.database).map((row) => row.admitted_at_ms);

describe("a step", () => {
  test("deletes settled calls once they are as old as the setting, by whole hours", async () => {
    const { clock } = opened;
    const noonMs = clock.wallMs();
    for (const atMs of [noonMs - HOUR_MS, noonMs - 1, noonMs, noonMs + HOUR_MS])
      await addCalls(1, atMs);
    expect(await retention.step()).toBe(0);
    clock.advance(2 * DAY_MS);
    expect(await retention.step()).toBe(2);
    expect(kept()).toEqual([noonMs, noonMs + HOUR_MS]);
    clock.advance(HOUR_MS - 1);
    expect(await retention.step()).toBe(0);
    clock.advance(1);
    expect(await retention.step()).toBe(1);
    expect(kept()).toEqual([noonMs + HOUR_MS]);
  });

  test("deletes so many at most, the oldest first", async () => {
    const { clock } = opened;
    const startMs = clock.wallMs();
    await addCalls(3, startMs + 1);
    await addCalls(STEP_CALLS_MAX - 1, startMs);
    clock.advance(4 * DAY_MS);
    expect(await retention.step()).toBe(STEP_CALLS_MAX);
    expect(kept()).toEqual([startMs + 1, startMs + 1]);
    expect(await retention.step()).toBe(2);
    expect(await retention.step()).toBe(0);
  });

  test("leaves a call that is still open, and what calls added up to", async () => {
    const { clock, ledger, database } = opened;
    const settled = await ledger.admit(callOf(clock));
    const open = await ledger.admit(callOf(clock));
    const voided = await ledger.admit(callOf(clock));
    ledger.settle(settled, settlementOf({ input: 10, output: 5 }));
    ledger.settle(voided, settlementOf(null));
    await ledger.flush();
    const fromMs = clock.wallMs() - 1;
    clock.advance(40 * DAY_MS);
    const query = { organizationId: "acme", fromMs, toMs: clock.wallMs(), groupBy: "key" } as const;
    const before = await reportUsage(database.db, query);
    expect(before).toMatchObject([{ calls: 1, input_tokens: 10 }]);
    expect(await retention.step()).toBe(2);
    expect(callRows(database).map((row) => row.id)).toEqual([open.callId]);
    expect(await reportUsage(database.db, query)).toEqual(before);
    const months = database.connection.query("select used_tokens from key_months").values();
    expect(months).toEqual([[15]]);
    // It can still be settled, and is deleted in its turn.
    ledger.settle(open, settlementOf({ input: 1, output: 1 }));
    await ledger.flush();
    expect(await retention.step()).toBe(1);
  });
});

/** Resolves when the condition holds. What never holds fails the test by its time limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("once it is started", () => {
  test("a backlog is worked off step by step", async () => {
    await addCalls(2 * STEP_CALLS_MAX + 10, opened.clock.wallMs());
    opened.clock.advance(3 * DAY_MS);
    retention.start();
    const counts = new Set<number>();
    await until(() => {
      counts.add(kept().length);
      return counts.has(0);
    });
    expect([...counts].filter((count) => count % STEP_CALLS_MAX === 10)).toContain(
      STEP_CALLS_MAX + 10,
    );
    expect(lines).toEqual([]);
  });

  test("it stops when it is told to, whatever is left", async () => {
    await addCalls(3 * STEP_CALLS_MAX, opened.clock.wallMs());
    opened.clock.advance(3 * DAY_MS);
    retention.start();
    await until(() => kept().length < 3 * STEP_CALLS_MAX);
    await retention.stop();
    const left = kept().length;
    expect(left).toBeGreaterThan(0);
    retention.start();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(kept().length).toBe(left);
  });

  test("a database that cannot be written is logged, and harms nothing else", async () => {
    const { database } = opened;
    database.connection.run("pragma query_only = on");
    retention.start();
    await until(() => lines.length > 0);
    expect(lines.join("")).toContain("cannot delete old calls");
    database.connection.run("pragma query_only = off");
  });
});
