import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monthOf } from "../../src/domain/month.ts";
import { createLog } from "../../src/std/log.ts";
import { uuid7 } from "../../src/std/uuid7.ts";
import { type Hold, Ledger } from "../../src/store/ledger.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../src/store/sqlite.ts";
import type { Row } from "../../src/store/tables.ts";
import { type ManualClock, manualClock } from "../support/clock.ts";
import { openTestDatabase } from "../support/database.ts";
import { admission, callOf, createOrganization, settlementOf } from "../support/ledger.ts";
import { LedgerModel, type ModelCall, type ModelKey, type Noted } from "../support/ledger_model.ts";

const CENT = 1_000_000;

/** Limits so low that every one of them is met within a few calls. */
const KEYS: readonly ModelKey[] = [
  { id: "key-a", organizationId: "acme", monthlyTokenLimit: 6_000, rateLimitRpm: 4 },
  { id: "key-b", organizationId: "acme", monthlyTokenLimit: 1_000_000, rateLimitRpm: 3 },
  { id: "key-c", organizationId: "other", monthlyTokenLimit: 3_000, rateLimitRpm: 60 },
];

const anyCall = fc.record({
  key: fc.nat({ max: KEYS.length - 1 }),
  input: fc.integer({ min: 1, max: 500 }),
  output: fc.integer({ min: 1, max: 1_500 }),
  cost: fc.integer({ min: 1, max: CENT }),
});

const anyStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      verb: fc.constant("admit"),
      calls: fc.array(anyCall, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      verb: fc.constantFrom("settle", "settle", "void", "checkpoint"),
      at: fc.nat({ max: 50 }),
      tokens: fc.integer({ min: 1, max: 2_000 }),
      cost: fc.integer({ min: 1, max: CENT }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      verb: fc.constant("advance"),
      ms: fc.constantFrom(1, 700, 20_000, 59_999, 60_000, 3_600_000, 12 * 86_400_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constantFrom("flush", "stop", "crash", "reset") }) },
);

type Step =
  | { readonly verb: "admit"; readonly calls: readonly Parameters<Pair["admit"]>[0][number][] }
  | {
      readonly verb: "settle" | "void" | "checkpoint";
      readonly at: number;
      readonly tokens: number;
      readonly cost: number;
    }
  | { readonly verb: "advance"; readonly ms: number }
  | { readonly verb: "flush" | "stop" | "crash" | "reset" };

const SILENT = createLog({ level: "error", human: false, nowMs: () => 0, write: () => {} });

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** The ledger and its model, led through the same life. */
class Pair {
  readonly clock: ManualClock = manualClock();
  readonly model = new LedgerModel(KEYS, [
    { id: "acme", limitMicrocents: 3 * CENT, circuitOpen: false },
    { id: "other", limitMicrocents: 2 * CENT, circuitOpen: false },
  ]);
  readonly #holds = new Map<string, Hold>();
  #sqlite: Sqlite;
  #path: string;
  #ledger: Ledger;

  private constructor(sqlite: Sqlite, path: string) {
    this.#sqlite = sqlite;
    this.#path = path;
    this.#ledger = new Ledger(sqlite, this.clock, SILENT);
    cleanUps.push(() => this.#ledger.close().then(() => closeSqlite(this.#sqlite)));
  }

  static async open(): Promise<Pair> {
    const database = await openTestDatabase();
    cleanUps.push(() => rmSync(database.folder, { recursive: true, force: true }));
    await createOrganization(database, "acme", 3);
    await createOrganization(database, "other", 2);
    return new Pair(database, database.path);
  }

  async run(step: Step): Promise<void> {
    switch (step.verb) {
      case "admit":
        return this.admit(step.calls);
      case "advance":
        return this.clock.advance(step.ms);
      case "flush":
        return this.expectRowsAddUp();
      case "stop":
        await this.#ledger.close();
        return this.#restart(this.#sqlite);
      case "crash":
        return this.#crash();
      case "reset":
        return this.#reset();
      default:
        return this.#end(step.verb, step);
    }
  }

  /** Asks for calls within one turn: what the first is given, the next ones must already count. */
  async admit(
    asked: readonly {
      readonly key: number;
      readonly input: number;
      readonly output: number;
      readonly cost: number;
    }[],
  ): Promise<void> {
    const nowMs = this.clock.wallMs();
    const admissions: Promise<void>[] = [];
    for (const { key: at, input, output, cost } of asked) {
      const key = KEYS[at];
      if (key === undefined) continue;
      const request = callOf(this.clock, {
        callId: uuid7(nowMs),
        organizationId: key.organizationId,
        keyId: key.id,
        monthlyTokenLimit: key.monthlyTokenLimit,
        rateLimitRpm: key.rateLimitRpm,
        estimatedInputTokens: input,
        heldTokens: input + output,
        heldCostMicrocents: cost,
      });
      const expected = this.model.refusal(key, nowMs);
      if (expected === null) {
        this.model.calls.push({
          id: request.callId,
          key,
          month: monthOf(nowMs),
          admittedAtMs: nowMs,
          inputTokens: input,
          heldTokens: input + output,
          heldCost: cost,
          checkpoints: [],
          state: "pending",
          tokens: 0,
          cost: 0,
          countsFromMs: nowMs,
        });
      }
      admissions.push(
        admission(this.#ledger, request).then((outcome) => {
          const refusal: string | null = typeof outcome === "string" ? outcome : null;
          expect(refusal).toBe(expected);
          if (typeof outcome !== "string") this.#holds.set(request.callId, outcome);
        }),
      );
    }
    await Promise.all(admissions);
    this.#expectHolds();
  }

  #end(verb: string, { at, tokens, cost }: { at: number; tokens: number; cost: number }): void {
    const calls = this.model.calls.filter(
      ({ id, state }) => this.#holds.has(id) && state === "pending",
    );
    const call = calls[at % Math.max(1, calls.length)];
    const hold = this.#holds.get(call?.id ?? "");
    if (call === undefined || hold === undefined) return;
    if (verb === "checkpoint") {
      call.checkpoints.push({ outputTokens: tokens, cost });
      this.#ledger.checkpoint(hold, tokens, cost);
    } else {
      const used = verb === "void" ? null : { tokens, cost };
      this.#ledger.settle(hold, settlementOf(used && { input: 0, output: tokens, cost }));
      this.model.settle(call, used, this.clock.wallMs());
    }
    this.#expectHolds();
  }

  #rowOf({ id }: ModelCall): Row<"calls"> | null {
    return this.#sqlite.connection
      .query<Row<"calls">, [string]>("select * from calls where id = ?")
      .get(id);
  }

  /** Compares what is held, key by key, with the calls in flight. */
  #expectHolds(): void {
    const nowMs = this.clock.wallMs();
    for (const key of KEYS) {
      const { remaining } = this.#ledger.rateStatus(key.id, key.rateLimitRpm);
      expect(remaining).toBe(Math.max(0, key.rateLimitRpm - this.model.recent(key, nowMs)));
      expect(this.#ledger.heldTokens(key.id)).toBe(this.model.heldTokens(key, monthOf(nowMs)));
    }
  }

  /** Leaves the process to its fate and goes on with what a kill would have left on disk. */
  async #crash(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
    cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "inference-proxy.db");
    for (const suffix of ["", "-wal"]) {
      if (existsSync(this.#path + suffix)) copyFileSync(this.#path + suffix, path + suffix);
    }
    await this.#ledger.close();
    await closeSqlite(this.#sqlite);
    this.#path = path;
    this.#restart(openSqlite(path, "normal"));
  }

  #restart(sqlite: Sqlite): void {
    this.#sqlite = sqlite;
    const rows = new Map<string, Noted | "settled">();
    for (const call of this.model.calls) {
      const row = this.#rowOf(call);
      // A hold is on disk before its call is admitted.
      expect(row).not.toBeNull();
      if (row === null || row.state !== "pending") {
        expect(row?.state ?? "pending").toBe(call.state);
        rows.set(call.id, "settled");
        continue;
      }
      const noted = { outputTokens: row.output_tokens, cost: row.cost_microcents };
      expect([{ outputTokens: 0, cost: 0 }, ...call.checkpoints]).toContainEqual(noted);
      rows.set(call.id, noted);
    }
    const open = sqlite.connection
      .query<{ organization_id: string }, []>(
        "select organization_id from org_settings where circuit_opened_at_ms is not null",
      )
      .all();
    const openIds = new Set(open.map((row) => row.organization_id));
    for (const { id, circuitOpen } of this.model.organizations) {
      expect(circuitOpen || !openIds.has(id)).toBe(true);
    }
    this.model.restart(rows, openIds, this.clock.wallMs());
    this.#holds.clear();
    this.#ledger = new Ledger(sqlite, this.clock, SILENT);
    this.#expectHolds();
  }

  /** Resets the circuits of organizations that are below their limits, as an owner may. */
  async #reset(): Promise<void> {
    await this.#ledger.flush();
    const month = monthOf(this.clock.wallMs());
    for (const organization of this.model.organizations) {
      if (this.model.settledCost(organization, month) >= organization.limitMicrocents) continue;
      organization.circuitOpen = false;
      this.#sqlite.connection.run(
        "update org_settings set circuit_opened_at_ms = null where organization_id = ?",
        [organization.id],
      );
      this.#ledger.organizationChanged(organization.id);
    }
  }

  /** Writes everything down and compares every row and every sum with the calls of the model. */
  async expectRowsAddUp(): Promise<void> {
    expect(await this.#ledger.flush()).toBe(true);
    const { connection } = this.#sqlite;
    for (const call of this.model.calls) {
      const row = this.#rowOf(call);
      expect([row?.state, row?.month, row?.admitted_at_ms]).toEqual([
        call.state,
        call.month,
        call.admittedAtMs,
      ]);
      if (call.state === "pending") continue;
      expect([row?.cost_microcents, (row?.input_tokens ?? 0) + (row?.output_tokens ?? 0)]).toEqual([
        call.cost,
        call.tokens,
      ]);
    }
    const charged = this.model.calls.filter(
      ({ state }) => state === "posted" || state === "expired",
    );
    const sums = (nameOf: (call: ModelCall) => string, amountOf: (call: ModelCall) => number) => {
      const totals: Record<string, number> = {};
      for (const call of charged) {
        totals[nameOf(call)] = (totals[nameOf(call)] ?? 0) + amountOf(call);
      }
      return totals;
    };
    const read = (query: string) =>
      Object.fromEntries(connection.query(query).values() as [string, number][]);
    const keyMonths = sums(
      (call) => `${call.key.id} ${call.month}`,
      (call) => call.tokens,
    );
    expect(read("select key_id || ' ' || month, used_tokens from key_months")).toEqual(keyMonths);
    const orgMonths = sums(
      (call) => `${call.key.organizationId} ${call.month}`,
      (call) => call.cost,
    );
    expect(read("select organization_id || ' ' || month, cost_microcents from org_months")).toEqual(
      orgMonths,
    );
    const hourOf = (call: ModelCall) =>
      `${call.key.id} ${Math.floor(call.admittedAtMs / 3_600_000)}`;
    const hours = (column: string) =>
      read(`select key_id || ' ' || hour, sum(${column}) from usage_hours group by 1`);
    expect(hours("calls")).toEqual(sums(hourOf, () => 1));
    expect(hours("input_tokens + output_tokens")).toEqual(sums(hourOf, (call) => call.tokens));
    expect(hours("cost_microcents")).toEqual(sums(hourOf, (call) => call.cost));
    expect(hours("estimated_calls")).toEqual(
      sums(hourOf, (call) => (call.state === "expired" ? 1 : 0)),
    );
    for (const { id, circuitOpen } of this.model.organizations) {
      const [[openedAtMs] = []] = connection
        .query("select circuit_opened_at_ms from org_settings where organization_id = ?")
        .values(id);
      expect([id, openedAtMs !== null]).toEqual([id, circuitOpen]);
    }
  }
}

test("any life of a ledger goes as that of a model that adds up all calls anew", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 50 }), async (steps) => {
      const pair = await Pair.open();
      for (const step of steps) await pair.run(step);
      await pair.expectRowsAddUp();
    }),
    { numRuns: 60 },
  );
}, 60_000);
