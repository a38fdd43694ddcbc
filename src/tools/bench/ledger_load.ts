/**
 * The ledger alone, in a process of its own: callers that are admitted, settle at once and come again. It is
 * told by messages how many there are, and how durable a commit is to be.
 */
import { rmSync } from "node:fs";
import { NO_USAGE } from "../../domain/usage.ts";
import { systemClock } from "../../std/clock.ts";
import { uuid7 } from "../../std/uuid7.ts";
import { Ledger } from "../../store/ledger.ts";
import { migrate } from "../../store/migrate.ts";
import { createOrganization } from "../../store/organizations.ts";
import { saveSettings } from "../../store/settings.ts";
import { openSqlite, type Sqlite, type Synchronous } from "../../store/sqlite.ts";
import type { LedgerPlan, LedgerResult } from "./ledger_plan.ts";
import { cpuMs } from "./process_figures.ts";
import { percentile } from "./statistics.ts";

const KEYS = Array.from({ length: 64 }, () => uuid7(Date.now()));

interface Open {
  readonly sqlite: Sqlite;
  readonly ledger: Ledger;
  readonly organizationId: string;
}

const opened = new Map<Synchronous, Promise<Open>>();

async function open(folder: string, synchronous: Synchronous): Promise<Open> {
  const path = `${folder}/ledger-${synchronous}.db`;
  rmSync(path, { force: true });
  const sqlite = openSqlite(path, synchronous);
  await migrate(sqlite.db);
  const act = { actor: "bench", address: "192.0.2.1", nowMs: Date.now() };
  const organization = await createOrganization(sqlite.db, act, { name: "Bench", slug: "bench" });
  await saveSettings(sqlite.db, act, organization.id, {
    euOnly: false,
    monthlyCostLimitCents: 1_000_000_000,
    circuitOpenedAtMs: null,
  });
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return { sqlite, ledger: new Ledger(sqlite, systemClock, log), organizationId: organization.id };
}

async function measure(plan: LedgerPlan): Promise<LedgerResult> {
  const { synchronous, folder, callers, seconds } = plan;
  const database = opened.get(synchronous) ?? open(folder, synchronous);
  opened.set(synchronous, database);
  const { ledger, organizationId } = await database;
  const waits: number[] = [];
  const startMs = performance.now();
  const untilMs = startMs + seconds * 1000;
  const cpuBefore = cpuMs([process.pid]);
  await Promise.all(
    Array.from({ length: callers }, (_, index) =>
      callAgain(ledger, organizationId, KEYS[index % KEYS.length] ?? "", untilMs, waits),
    ),
  );
  await ledger.flush();
  const usedMs = cpuMs([process.pid]) - cpuBefore;
  const elapsed = (performance.now() - startMs) / 1000;
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    calls: waits.length,
    seconds: elapsed,
    cpuMs: usedMs,
    holdMs: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
  };
}

async function callAgain(
  ledger: Ledger,
  organizationId: string,
  keyId: string,
  untilMs: number,
  waits: number[],
): Promise<void> {
  const usage = { ...NO_USAGE, inputTokens: 61, outputTokens: 44 };
  const used = {
    usage,
    costMicrocents: 3555,
    price: {
      id: "openai/gpt-4o-mini",
      percent: 100,
      tierAbove: null,
      rates: { input: 15_000_000, output: 60_000_000 },
    },
    estimated: false,
  };
  while (performance.now() < untilMs) {
    const beginMs = performance.now();
    const hold = await ledger.admit({
      callId: uuid7(Date.now()),
      organizationId,
      keyId,
      monthlyTokenLimit: 1e15,
      rateLimitRpm: 100_000_000,
      provider: "openai",
      operation: "chat",
      requestedModel: "openai/gpt-4o-mini",
      streamed: false,
      estimatedInputTokens: 100,
      heldTokens: 1124,
      heldCostMicrocents: 60_000,
    });
    waits.push(performance.now() - beginMs);
    ledger.settle(hold, {
      ending: "completed",
      upstreamStatus: 200,
      servedModel: "gpt-4o-mini-2024-07-18",
      used,
    });
  }
}

process.on(
  "message",
  (plan: LedgerPlan) => void measure(plan).then((sent) => process.send?.(sent)),
);
process.on("disconnect", () => process.exit());
process.send?.("ready");
