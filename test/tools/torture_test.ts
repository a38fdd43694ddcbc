import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Seen } from "../../src/tools/torture/client.ts";
import { emptyTally, roundFaults, type SettledRow } from "../../src/tools/torture/kill_check.ts";
import { reportedFor } from "../../src/tools/torture/kill_load.ts";
import { Random } from "../../src/tools/torture/random.ts";
import { simulate } from "../../src/tools/torture/simulate.ts";
import { prepareSumFaults } from "../../src/tools/torture/sums.ts";
import type { Arrival } from "../../src/tools/torture/upstream.ts";
import { mustHold } from "../../src/tools/torture/violation.ts";

/** For a machine that has other things to do. */
const SLOW_MS = 60_000;

describe("the simulation", () => {
  test(
    "of the ledger breaks no promise",
    async () => {
      expect(await simulate(1, 20)).toMatchObject({ seeds: 20 });
    },
    SLOW_MS,
  );

  test(
    "does the same with the same seed",
    async () => {
      const first = await simulate(7, 1);
      expect(first.trace.length).toBeGreaterThan(150);
      expect((await simulate(7, 1)).trace).toEqual(first.trace);
      expect((await simulate(8, 1)).trace).not.toEqual(first.trace);
    },
    SLOW_MS,
  );

  const SABOTAGE: [what: string, when: string, then: string][] = [
    [
      "a charge that counts twice",
      "insert on org_months",
      "update org_months set cost_microcents = cost_microcents + 1",
    ],
    ["a hold that is lost", "insert on calls", "delete from calls where id = new.id"],
    [
      "a settlement that is lost",
      "update on calls",
      "update calls set state = 'pending' where id = new.id",
    ],
    [
      "a circuit that does not open",
      "update on org_settings",
      "update org_settings set circuit_opened_at_ms = null",
    ],
    [
      "a trip that nobody is told of",
      "insert on audit_events",
      "delete from audit_events where actor = 'system'",
    ],
  ];
  test.each(SABOTAGE)(
    "notices %s",
    async (_, when, then) => {
      const sabotage = `create trigger sabotage after ${when} begin ${then}; end`;
      const message = await simulate(1, 20, sabotage).then(
        () => "nothing was noticed",
        (error: Error) => error.message,
      );
      expect(message).toMatch(/^seed \d+, step \d+: /);
      expect(message).not.toContain("SQLiteError");
    },
    SLOW_MS,
  );
});

test("chance is the same for the same seed, and reaches every value", () => {
  const numbers = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 200 }, () => random.between(1, 6));
  };
  expect(numbers(3)).toEqual(numbers(3));
  expect(numbers(3)).not.toEqual(numbers(4));
  expect([...new Set(numbers(3))].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("what does not hold is shown, but not all of a thousand", () => {
  mustHold("Nothing", []);
  const faults = Array.from({ length: 1000 }, (_, index) => `fault ${index}`);
  expect(() => mustHold("Much", faults)).toThrow(/^Much:\n {2}fault 0\n(.*\n){4} {2}and 995 more$/);
});

describe("the check of the sums", () => {
  const CALL = {
    id: "call-1",
    organization_id: "org",
    key_id: "key",
    provider: "openai",
    requested_model: "openai/gpt-5",
    admitted_at_ms: 7_200_000,
    month: 202606,
    state: "posted",
    ended_at_ms: 7_200_001,
    ending: null,
    estimated: 0,
    input_tokens: 30,
    cache_read_tokens: 3,
    cache_write_tokens: 2,
    output_tokens: 10,
    reasoning_tokens: 4,
    cost_microcents: 400,
  };

  const USAGE = {
    organization_id: "org",
    key_id: "key",
    provider: "openai",
    requested_model: "openai/gpt-5",
    calls: 2,
    estimated_calls: 1,
    input_tokens: 60,
    cache_read_tokens: 6,
    cache_write_tokens: 4,
    output_tokens: 20,
    reasoning_tokens: 8,
    cost_microcents: 800,
  };

  /** Writes two charged calls with their sums, a void and an open one, then does what is said, and checks. */
  function faultsAfter(damage: string): string[] {
    const database = new Database(":memory:");
    const table = (name: string, ...rows: Record<string, string | number | null>[]) => {
      const columns = Object.keys(rows[0] ?? {});
      database.run(`create table ${name} (${columns.join()})`);
      const insert = `insert into ${name} values (${columns.map(() => "?").join()})`;
      for (const row of rows) database.run(insert, Object.values(row));
    };
    const none = { input_tokens: 0, output_tokens: 0, cost_microcents: 0 };
    table(
      "calls",
      CALL,
      { ...CALL, id: "call-2", state: "expired", estimated: 1 },
      { ...CALL, id: "call-3", state: "voided", ...none },
      { ...CALL, id: "call-4", state: "pending", ended_at_ms: null },
    );
    table("key_months", { key_id: "key", month: 202606, used_tokens: 80 });
    table("org_months", { organization_id: "org", month: 202606, cost_microcents: 800 });
    table("usage_hours", { ...USAGE, hour: 2 });
    table("usage_days", { ...USAGE, day: 0 });
    if (damage !== "") database.run(damage);
    return prepareSumFaults(database)();
  }

  test("has nothing to say where all is well", () => {
    expect(faultsAfter("")).toEqual([]);
  });

  test.each([
    ["a lost call", "delete from calls where id = 'call-1'", "key_months keeps"],
    ["a call charged twice", "update org_months set cost_microcents = 1200", "org_months keeps"],
    ["tokens counted twice", "update key_months set used_tokens = 160", "key_months keeps"],
    ["a sum that is gone", "delete from key_months", "key_months lacks"],
    ["an hour that is gone", "delete from usage_hours", "usage_hours lacks"],
    ["a day too many", "update usage_days set day = 1", "usage_days keeps"],
    [
      "a call in another hour",
      "update calls set admitted_at_ms = 0 where id = 'call-2'",
      "usage_hours",
    ],
    [
      "a call in another month",
      "update calls set month = 202607 where id = 'call-2'",
      "org_months",
    ],
    [
      "an estimate as a fact",
      "update calls set estimated = 0 where id = 'call-2'",
      "call-2 expired",
    ],
    [
      "a void that is charged",
      "update calls set cost_microcents = 1 where id = 'call-3'",
      "call-3 is void",
    ],
    [
      "an open call with an end",
      "update calls set ended_at_ms = 1 where id = 'call-4'",
      "call-4 is open",
    ],
    [
      "a closed call without one",
      "update calls set ended_at_ms = null where id = 'call-1'",
      "call-1 is closed",
    ],
    [
      "a negative charge",
      "update calls set cost_microcents = -1 where id = 'call-1'",
      "below zero",
    ],
    ["an unknown state", "update calls set state = 'lost' where id = 'call-3'", "no known state"],
  ])("sees %s", (_, damage, says) => {
    expect(faultsAfter(damage).join("\n")).toContain(says);
  });
});

describe("the check of a killed round", () => {
  const arrival = (model: string): Arrival => ({
    model,
    stream: false,
    operation: "chat",
    arrivedMs: 0,
  });
  const seen = (model: string): Seen => {
    return { model, status: 200, code: null, complete: true, headers: new Headers() };
  };
  const row = (model: string, changes: Partial<SettledRow> = {}): SettledRow => {
    const { input, output } = reportedFor(model);
    const charged = { input_tokens: input, output_tokens: output, cost_microcents: 5 };
    return {
      requested_model: `openai/${model}`,
      state: "posted",
      estimated: 0,
      upstream_status: 200,
      ...charged,
      ...changes,
    };
  };
  const expired = { state: "expired", estimated: 1 } as const;
  const voided = {
    state: "voided",
    input_tokens: 0,
    output_tokens: 0,
    cost_microcents: 0,
  } as const;
  const nothing = { input_tokens: 0, output_tokens: 0, cost_microcents: 0 };

  test("counts what came of calls, and has nothing to say where each is told once", () => {
    const tally = emptyTally();
    const models = ["m-1-whole", "m-2-stream", "m-3-error500", "m-4-cut"];
    const round = {
      arrivals: models.map(arrival),
      seen: [seen("m-1-whole"), seen("m-2-stream")],
      rows: [
        row("m-1-whole"),
        row("m-2-stream", expired),
        row("m-3-error500", voided),
        row("m-4-cut", { estimated: 1 }),
        row("m-5-wholeleft", { ...expired }),
      ],
    };
    expect(roundFaults(round, tally)).toEqual([]);
    expect(tally).toEqual({
      arrived: 4,
      rows: 5,
      exact: 1,
      estimated: 1,
      expired: 2,
      voided: 1,
      unsent: 1,
      unsentCharged: 0,
      deliveredAndEstimated: 1,
    });
  });

  const WHOLE = "m-1-whole";
  const FAULTS: [what: string, rows: SettledRow[], says: string][] = [
    ["a call that is in no ledger", [], "is in no ledger"],
    ["a call that is in it twice", [row(WHOLE), row(WHOLE)], "twice"],
    ["a call that is still open", [row(WHOLE, { state: "pending" })], "still open"],
    [
      "other tokens than were reported",
      [row(WHOLE, { output_tokens: 99 })],
      "the upstream reported",
    ],
    ["a call that was served for nothing", [row(WHOLE, voided)], "was voided"],
    [
      "an estimate where usage was known",
      [row(WHOLE, { estimated: 1 })],
      "with usage and is estimated",
    ],
    ["a call that expired at nothing", [row(WHOLE, { ...expired, ...nothing })], "at nothing"],
  ];
  test.each(FAULTS)("sees %s", (_, rows, says) => {
    const round = { arrivals: [arrival(WHOLE)], seen: [seen(WHOLE)], rows };
    expect(roundFaults(round, emptyTally()).join("\n")).toContain(says);
  });

  test("sees a refusal that is charged, and an answer that nobody gave", () => {
    const refused = "m-2-error500";
    const round = { arrivals: [arrival(refused)], seen: [seen(WHOLE)], rows: [row(refused)] };
    const faults = roundFaults(round, emptyTally()).join("\n");
    expect(faults).toContain("was refused with 200 and is charged");
    expect(faults).toContain(`call ${WHOLE} was answered by nobody`);
  });

  test("takes an estimate for a refusal only if the refusal did not arrive", () => {
    const refused = "m-2-error429";
    const faultsOf = (upstream_status: number | null) => {
      const rows = [row(refused, { estimated: 1, upstream_status })];
      return roundFaults({ arrivals: [arrival(refused)], seen: [], rows }, emptyTally());
    };
    expect(faultsOf(null)).toEqual([]);
    expect(faultsOf(429).join("\n")).toContain("was refused with 429 and is charged");
  });

  test("sees a call that reached the upstream twice", () => {
    const round = { arrivals: [arrival(WHOLE), arrival(WHOLE)], seen: [], rows: [row(WHOLE)] };
    expect(roundFaults(round, emptyTally()).join("\n")).toContain("reached the upstream twice");
  });
});
