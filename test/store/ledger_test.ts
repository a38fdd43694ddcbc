import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { ProxyError } from "../../src/domain/errors.ts";
import { uuid7 } from "../../src/std/uuid7.ts";
import type { Hold } from "../../src/store/ledger.ts";
import {
  admission,
  callOf,
  callRows,
  LIMIT_CENTS,
  openTestLedger,
  settlementOf,
  type TestLedger,
} from "../support/ledger.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MONTH_LIMIT = LIMIT_CENTS * 1_000_000;

let opened: TestLedger;
beforeEach(async () => {
  opened = await openTestLedger();
});
afterEach(() => opened.close());

const admit = (changes: Parameters<typeof callOf>[1] = {}): Promise<Hold> =>
  opened.ledger.admit(callOf(opened.clock, changes));
const attempt = (changes: Parameters<typeof callOf>[1] = {}): Promise<Hold | string> =>
  admission(opened.ledger, callOf(opened.clock, changes));
const isRefused = async (changes: Parameters<typeof callOf>[1] = {}): Promise<string | null> => {
  const outcome = await attempt(changes);
  return typeof outcome === "string" ? outcome : null;
};
const valuesOf = (query: string): unknown[] => opened.database.connection.query(query).values();

test("a hold is on disk before its call is admitted", async () => {
  const { callId } = await admit();
  const reader = new Database(opened.database.path, { readonly: true });
  expect(reader.query("select * from calls").all()).toEqual([
    {
      id: callId,
      organization_id: "acme",
      key_id: "key",
      provider: "openai",
      operation: "chat",
      requested_model: "openai/gpt-5",
      served_model: null,
      streamed: 1,
      admitted_at_ms: opened.clock.wallMs(),
      month: 202606,
      state: "pending",
      ending: null,
      ended_at_ms: null,
      upstream_status: null,
      estimated: 0,
      price_id: null,
      price_percent: null,
      price_tier_above: null,
      price_rates: null,
      held_tokens: 1_000,
      held_cost_microcents: 1_000,
      input_tokens: 100,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      cache_write_1h_tokens: 0,
      input_audio_tokens: 0,
      output_tokens: 0,
      output_audio_tokens: 0,
      reasoning_tokens: 0,
      cost_microcents: 0,
    },
  ]);
  reader.close();
});

describe("a call that is settled", () => {
  test("is posted with what it used, and counts in every sum once", async () => {
    const hold = await admit();
    opened.clock.advance(5_000);
    opened.ledger.settle(hold, settlementOf({ input: 120, output: 30, cost: 77 }));
    expect(await opened.ledger.flush()).toBe(true);
    expect(callRows(opened.database)[0]).toMatchObject({
      state: "posted",
      ending: "completed",
      ended_at_ms: hold.admittedAtMs + 5_000,
      served_model: "gpt-5-2025",
      upstream_status: 200,
      estimated: 0,
      price_id: "openai/gpt-5@2026-06-01",
      price_percent: 100,
      input_tokens: 120,
      output_tokens: 30,
      cost_microcents: 77,
    });
    expect(valuesOf("select * from key_months")).toEqual([["key", 202606, 150]]);
    expect(valuesOf("select * from org_months")).toEqual([["acme", 202606, 77]]);
    expect(
      valuesOf(
        "select calls, estimated_calls, input_tokens, output_tokens, cost_microcents from usage_hours",
      ),
    ).toEqual([[1, 0, 120, 30, 77]]);
    expect(opened.ledger.heldTokens("key")).toBe(0);
  });

  test("twice is posted once on disk", async () => {
    const hold = await admit();
    opened.ledger.settle(hold, settlementOf({ input: 100, output: 50 }));
    opened.ledger.settle(hold, settlementOf({ input: 900, output: 900 }));
    await opened.ledger.flush();
    opened.ledger.settle(hold, settlementOf(null));
    await opened.ledger.flush();
    expect(callRows(opened.database)[0]).toMatchObject({ state: "posted", cost_microcents: 150 });
    expect(valuesOf("select used_tokens from key_months")).toEqual([[150]]);
    expect(valuesOf("select cost_microcents from org_months")).toEqual([[150]]);
    expect(valuesOf("select calls from usage_hours")).toEqual([[1]]);
  });

  test("without having generated anything is voided, and counts in no sum", async () => {
    const hold = await admit();
    opened.ledger.settle(hold, {
      ...settlementOf(null),
      ending: "upstream_failed",
      upstreamStatus: 500,
    });
    await opened.ledger.flush();
    expect(callRows(opened.database)[0]).toMatchObject({
      state: "voided",
      ending: "upstream_failed",
      upstream_status: 500,
      price_id: null,
      input_tokens: 0,
      cost_microcents: 0,
    });
    expect(valuesOf("select * from key_months union all select * from org_months")).toEqual([]);
    expect(valuesOf("select * from usage_hours")).toEqual([]);
    expect(opened.ledger.heldTokens("key")).toBe(0);
  });

  test("at an estimate says so", async () => {
    const hold = await admit();
    const { used, ...settlement } = settlementOf({ input: 1, output: 1 });
    opened.ledger.settle(hold, { ...settlement, used: used && { ...used, estimated: true } });
    await opened.ledger.flush();
    expect(callRows(opened.database)[0]?.estimated).toBe(1);
    expect(valuesOf("select estimated_calls from usage_hours")).toEqual([[1]]);
  });

  test("after its month counts in the month of its admission, which leaves the new one alone", async () => {
    const late = await admit({ monthlyTokenLimit: 1_100 });
    opened.clock.advance(20 * DAY_MS);
    const fresh = await admit({ monthlyTokenLimit: 1_100 });
    expect([late.keyMonth.month, fresh.keyMonth.month]).toEqual([202606, 202607]);
    expect(opened.ledger.heldTokens("key")).toBe(1_000);
    opened.ledger.settle(late, settlementOf({ input: 900, output: 900, cost: MONTH_LIMIT }));
    opened.ledger.settle(fresh, settlementOf({ input: 10, output: 10 }));
    await opened.ledger.flush();
    expect(valuesOf("select * from key_months order by month")).toEqual([
      ["key", 202606, 1_800],
      ["key", 202607, 20],
    ]);
    expect(valuesOf("select * from org_months order by month")).toEqual([
      ["acme", 202606, MONTH_LIMIT],
      ["acme", 202607, 20],
    ]);
    expect(await isRefused({ monthlyTokenLimit: 1_100 })).toBeNull();
  });
});

describe("the token ceiling", () => {
  test("counts what is held, so that calls at once cannot all slip in", async () => {
    const calls = Array.from({ length: 10 }, () => attempt({ monthlyTokenLimit: 2_500 }));
    const outcomes = await Promise.all(calls);
    const refused = outcomes.filter((outcome) => outcome === "token_ceiling_exceeded");
    expect(refused).toHaveLength(7);
    expect(opened.ledger.heldTokens("key")).toBe(3_000);
    expect(callRows(opened.database)).toHaveLength(3);
  });

  test("gives back what is voided, keeps what is used, and is each key's own", async () => {
    const limit = { monthlyTokenLimit: 1_000 };
    const first = await admit(limit);
    expect(await isRefused(limit)).toBe("token_ceiling_exceeded");
    expect(await isRefused({ ...limit, keyId: "second" })).toBeNull();
    opened.ledger.settle(first, settlementOf(null));
    const second = await admit(limit);
    opened.ledger.settle(second, settlementOf({ input: 500, output: 499 }));
    const third = await admit(limit);
    opened.ledger.settle(third, settlementOf({ input: 1, output: 0 }));
    expect(await isRefused(limit)).toBe("token_ceiling_exceeded");
    expect(await isRefused({ monthlyTokenLimit: 1_001 })).toBeNull();
  });
});

describe("the rate limit", () => {
  test("admits no more at once than a minute allows, and again when the first is a minute old", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => attempt({ rateLimitRpm: 3 })),
    );
    expect(outcomes.filter((outcome) => outcome === "rate_limited")).toHaveLength(2);
    opened.clock.advance(MINUTE_MS - 1);
    expect(await isRefused({ rateLimitRpm: 3 })).toBe("rate_limited");
    opened.clock.advance(1);
    expect(await isRefused({ rateLimitRpm: 3 })).toBeNull();
  });

  test("is not used up by calls that are refused, and stays used by those that are voided", async () => {
    const limits = { rateLimitRpm: 2, monthlyTokenLimit: 1_000 };
    const hold = await admit(limits);
    expect(await isRefused(limits)).toBe("token_ceiling_exceeded");
    expect(opened.ledger.rateStatus("key", 2)).toEqual({
      limit: 2,
      remaining: 1,
      resetMs: MINUTE_MS,
    });
    opened.ledger.settle(hold, settlementOf(null));
    expect(opened.ledger.rateStatus("key", 2).remaining).toBe(1);
  });

  test("holds across a restart, also for a call that got its id before its admission", async () => {
    const earlier = uuid7(opened.clock.wallMs() - 4_000);
    const hold = await admit({ rateLimitRpm: 1, callId: earlier });
    opened.ledger.settle(hold, settlementOf({ input: 1, output: 1 }));
    opened.clock.advance(MINUTE_MS - 1_000);
    await opened.reopen();
    expect(await isRefused({ rateLimitRpm: 1 })).toBe("rate_limited");
    opened.clock.advance(1_001);
    expect(await isRefused({ rateLimitRpm: 1 })).toBeNull();
  });

  test("counts a call from the future as one of now: the clock was set back", async () => {
    const hold = await admit({ rateLimitRpm: 1 });
    opened.ledger.settle(hold, settlementOf(null));
    await opened.ledger.flush();
    const aheadMs = opened.clock.wallMs() + 10 * MINUTE_MS;
    opened.database.connection.run("update calls set id = ?, admitted_at_ms = ?", [
      uuid7(aheadMs),
      aheadMs,
    ]);
    await opened.reopen();
    expect(await isRefused({ rateLimitRpm: 1 })).toBe("rate_limited");
    opened.clock.advance(MINUTE_MS);
    expect(await isRefused({ rateLimitRpm: 1 })).toBeNull();
  });
});

describe("the cost circuit", () => {
  const circuits = (): unknown[] =>
    valuesOf("select organization_id, circuit_opened_at_ms from org_settings order by 1");

  test("trips with the settlement that reaches the limit, on disk too, and for that organization", async () => {
    const [first, second] = [await admit(), await admit()];
    opened.ledger.settle(first, settlementOf({ input: 1, output: 0, cost: MONTH_LIMIT - 2_000 }));
    expect(await isRefused({ heldCostMicrocents: 5 })).toBeNull();
    opened.clock.advance(7);
    opened.ledger.settle(second, settlementOf({ input: 1, output: 0, cost: 2_000 }));
    expect(await isRefused()).toBe("cost_circuit_open");
    expect(await isRefused({ organizationId: "other", keyId: "theirs" })).toBeNull();
    await opened.ledger.flush();
    expect(circuits()).toEqual([
      ["acme", opened.clock.wallMs()],
      ["other", null],
    ]);
    expect(opened.logged.map(({ msg }) => msg)).toContain("cost circuit tripped");
  });

  test("refuses what calls in flight may use up, without tripping", async () => {
    const half = { heldCostMicrocents: MONTH_LIMIT / 2 };
    const holds = [await admit(half), await admit(half)];
    expect(await isRefused()).toBe("cost_circuit_open");
    for (const hold of holds) opened.ledger.settle(hold, settlementOf(null));
    expect(await isRefused()).toBeNull();
    await opened.ledger.flush();
    expect(circuits()[0]).toEqual(["acme", null]);
  });

  test("stays open across a restart and a new month, until it is reset", async () => {
    opened.ledger.settle(await admit(), settlementOf({ input: 1, output: 0, cost: MONTH_LIMIT }));
    await opened.reopen();
    opened.clock.advance(20 * DAY_MS);
    expect(await isRefused()).toBe("cost_circuit_open");
    opened.database.connection.run("update org_settings set circuit_opened_at_ms = null");
    opened.ledger.organizationChanged("acme");
    expect(await isRefused()).toBeNull();
  });

  test("is not tripped by a late call of a month that is over", async () => {
    const late = await admit();
    opened.clock.advance(20 * DAY_MS);
    opened.ledger.settle(late, settlementOf({ input: 1, output: 0, cost: MONTH_LIMIT }));
    expect(await isRefused()).toBeNull();
    await opened.ledger.flush();
    expect(circuits()[0]).toEqual(["acme", null]);
  });

  test("follows a limit that is changed, and forgets no trip that is not yet written", async () => {
    opened.ledger.settle(await admit(), settlementOf({ input: 1, output: 0, cost: MONTH_LIMIT }));
    opened.ledger.organizationChanged("acme");
    expect(await isRefused()).toBe("cost_circuit_open");
    const other = { organizationId: "other", keyId: "theirs" };
    expect(await isRefused(other)).toBeNull();
    opened.database.connection.run("update org_settings set monthly_cost_limit_cents = 0");
    opened.ledger.organizationChanged("other");
    expect(await isRefused(other)).toBe("cost_circuit_open");
  });
});

test("what is wrong with money comes before tokens, and tokens before the rate", async () => {
  const none = { monthlyTokenLimit: 1, rateLimitRpm: 1 };
  await admit(none);
  expect(await isRefused({ ...none, monthlyTokenLimit: 1_001 })).toBe("rate_limited");
  expect(await isRefused(none)).toBe("token_ceiling_exceeded");
  opened.database.connection.run("update org_settings set circuit_opened_at_ms = 1");
  opened.ledger.organizationChanged("acme");
  expect(await isRefused(none)).toBe("cost_circuit_open");
});

describe("while the ledger cannot be written", () => {
  let other: Database;
  beforeEach(() => {
    other = new Database(opened.database.path);
    other.run("begin immediate");
  });
  afterEach(() => other.close());

  test("calls are refused as overload, and leave no trace", async () => {
    const error = await admit({ rateLimitRpm: 1 }).catch((thrown: ProxyError) => thrown);
    expect(error).toMatchObject({
      code: "overloaded",
      status: 503,
      headers: { "retry-after": "2" },
    });
    expect(opened.ledger.heldTokens("key")).toBe(0);
    expect(opened.ledger.rateStatus("key", 1).remaining).toBe(1);
    other.run("rollback");
    expect(await isRefused({ rateLimitRpm: 1 })).toBeNull();
    expect(callRows(opened.database)).toHaveLength(1);
  });

  test("settlements are kept, counted once, and written when it can be", async () => {
    other.run("rollback");
    const hold = await admit();
    other.run("begin immediate");
    opened.ledger.settle(hold, settlementOf({ input: 100, output: 50 }));
    expect(await opened.ledger.flush()).toBe(false);
    expect(await opened.ledger.flush()).toBe(false);
    expect(callRows(opened.database)[0]?.state).toBe("pending");
    other.run("rollback");
    expect(await opened.ledger.flush()).toBe(true);
    expect(callRows(opened.database)[0]?.state).toBe("posted");
    expect(valuesOf("select used_tokens from key_months")).toEqual([[150]]);
    expect(valuesOf("select calls, cost_microcents from usage_hours")).toEqual([[1, 150]]);
    const troubles = opened.logged.map(({ msg }) => msg);
    expect(troubles).toEqual(["cannot write the ledger", "the ledger is written again"]);
  });

  test("its turn comes all the same, and tells", async () => {
    expect(await opened.ledger.turn()).toBe(false);
    other.run("rollback");
    expect(await opened.ledger.turn()).toBe(true);
  });
});

describe("a ledger on a disk that takes no writes", () => {
  const writable = (yes: boolean) =>
    opened.database.connection.run(`pragma query_only = ${yes ? "off" : "on"}`);

  test("is writable as far as anybody knows, until a write fails", async () => {
    expect(await opened.ledger.writable()).toBe(true);
    writable(false);
    expect(await opened.ledger.writable()).toBe(true);
    expect(await attempt()).toBe("overloaded");
    expect(await opened.ledger.writable()).toBe(false);
  });

  test("finds out by itself when it is writable again, though no call comes", async () => {
    writable(false);
    await attempt();
    expect(await opened.ledger.writable()).toBe(false);
    expect(await opened.ledger.turn()).toBe(false);
    writable(true);
    expect(await opened.ledger.writable()).toBe(true);
    expect(opened.logged.map(({ msg }) => msg)).toEqual([
      "cannot write the ledger",
      "the ledger is written again",
    ]);
  });
});

test("holds are pending from admission to settlement, and those that were refused are none", async () => {
  const one = await admit();
  const other = await admit();
  expect(await attempt({ monthlyTokenLimit: 1 })).toBe("token_ceiling_exceeded");
  expect(opened.ledger.pendingHolds).toBe(2);
  opened.ledger.settle(one, settlementOf(null));
  expect(opened.ledger.pendingHolds).toBe(1);
  opened.ledger.settle(other, settlementOf({ input: 1, output: 1 }));
  expect(opened.ledger.pendingHolds).toBe(0);
});

test("every commit is timed, and what a crash left open is counted", async () => {
  await admit();
  await admit();
  const { counts } = opened.ledger.commitSeconds;
  expect(counts.reduce((sum, count) => sum + count)).toBe(2);
  expect(opened.ledger.expiredCalls).toBe(0);
  await opened.reopen();
  expect(opened.ledger.expiredCalls).toBe(2);
});

test("the ledger's turn does not come while a transaction is open, and comes when it has ended", async () => {
  const { connection } = opened.database;
  connection.run("begin immediate");
  const came: boolean[] = [];
  const turn = opened.ledger.turn().then((written) => came.push(written));
  for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
  expect(came).toEqual([]);
  connection.run("rollback");
  await turn;
  expect(came).toEqual([true]);
});

test("a settlement whose transaction fails at its sums is counted once when it is tried again", async () => {
  opened.ledger.settle(await admit(), settlementOf({ input: 100, output: 50 }));
  opened.database.connection.run("alter table usage_hours rename to away");
  expect(await opened.ledger.flush()).toBe(false);
  expect(callRows(opened.database)[0]?.state).toBe("pending");
  opened.database.connection.run("alter table away rename to usage_hours");
  expect(await opened.ledger.flush()).toBe(true);
  expect(valuesOf("select calls, cost_microcents from usage_hours")).toEqual([[1, 150]]);
  expect(valuesOf("select used_tokens from key_months")).toEqual([[150]]);
});

test("a wall clock that is set back does not reopen a month that was billed", async () => {
  opened.clock.advance(20 * DAY_MS);
  opened.ledger.settle(await admit(), settlementOf({ input: 1, output: 1 }));
  opened.clock.advance(-20 * DAY_MS);
  expect((await admit()).keyMonth.month).toBe(202607);
  await opened.reopen();
  expect((await admit()).keyMonth.month).toBe(202607);
  expect(opened.logged.map(({ msg }) => msg)).toContain(
    "the clock is behind the last month that was billed",
  );
});
