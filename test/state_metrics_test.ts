import { afterEach, beforeEach, expect, test } from "bun:test";
import { StateMetrics } from "../src/state_metrics.ts";
import type { Clock } from "../src/std/clock.ts";
import { Metrics } from "../src/std/metrics.ts";
import { callOf, openTestLedger, settlementOf, type TestLedger } from "./support/ledger.ts";
import { parseSamples, type Samples } from "./support/scrape.ts";

let opened: TestLedger;
/** How long each look at the clock takes, in milliseconds. */
let lookMs: number;
let metrics: Metrics;
let state: StateMetrics;

beforeEach(async () => {
  opened = await openTestLedger();
  lookMs = 0;
  const { clock, ledger, database } = opened;
  const slowClock: Clock = {
    wallMs: clock.wallMs,
    monotonicMs: () => {
      clock.advance(lookMs);
      return clock.monotonicMs();
    },
  };
  metrics = new Metrics();
  state = new StateMetrics(metrics, {
    db: database.db,
    clock: slowClock,
    ledger,
    observer: { inFlight: { streams: 3, wholes: 4 } },
    databasePath: database.path,
    droppedSpans: () => 5,
  });
  database.connection.run(
    `insert into inference_keys (id, organization_id, name, key_prefix, key_hash,
       monthly_token_limit, rate_limit_rpm, status, created_at_ms, revoked_at_ms)
     values ('key', 'acme', 'app', 'fdb-inf-abcd', 'hash', 1000, 60, 'active', 0, null)`,
  );
});
afterEach(() => opened.close());

async function read(): Promise<Samples> {
  await state.read();
  return parseSamples(await metrics.text());
}

async function spend(tokens: number): Promise<void> {
  const { ledger, clock } = opened;
  ledger.settle(await ledger.admit(callOf(clock)), settlementOf({ input: tokens, output: 0 }));
  await ledger.flush();
}

const USED = 'inference_proxy_key_tokens{org="acme",key="key",name="app",kind="used"}';

test("everything is looked up when it is asked for", async () => {
  await opened.ledger.admit(callOf(opened.clock));
  await spend(7);
  const samples = await read();
  expect(samples.get(USED)).toBe(7);
  expect(samples.get('inference_proxy_cost_month_microcents{org="acme"}')).toBe(7);
  expect(samples.get('inference_proxy_cost_month_microcents{org="other"}')).toBe(0);
  expect(samples.get('inference_proxy_cost_limit_microcents{org="acme"}')).toBe(1_000_000_000);
  expect(samples.get("inference_proxy_holds_pending")).toBe(1);
  expect(samples.get('inference_proxy_inflight_requests{stream="true"}')).toBe(3);
  expect(samples.get('inference_proxy_inflight_requests{stream="false"}')).toBe(4);
  expect(samples.get("inference_proxy_spans_dropped_total")).toBe(5);
  expect(samples.get("inference_proxy_ledger_commit_seconds_count")).toBeGreaterThan(1);
  await spend(2);
  expect((await read()).get(USED)).toBe(9);
});

test("sizes of the database and its disk are those of the files", async () => {
  const samples = await read();
  for (const name of ["db_bytes", "db_wal_bytes", "disk_free_bytes"])
    expect(samples.get(`inference_proxy_${name}`)).toBe(
      Math.round(samples.get(`inference_proxy_${name}`) ?? -1),
    );
  expect(samples.get("inference_proxy_db_wal_bytes")).toBeGreaterThan(0);
  const free = samples.get("inference_proxy_disk_free_bytes") ?? 0;
  expect(samples.get("inference_proxy_disk_size_bytes")).toBeGreaterThan(free);
});

test("the month that is shown is the one that calls are charged to", async () => {
  await spend(7);
  opened.clock.advance(20 * 86_400_000);
  const samples = await read();
  expect(samples.get(USED)).toBe(0);
  expect(samples.get('inference_proxy_cost_month_microcents{org="acme"}')).toBe(0);
});

test("rows whose reading takes long are not read again at once", async () => {
  lookMs = 10;
  expect((await read()).get(USED)).toBe(0);
  await spend(7);
  expect((await read()).get(USED)).toBe(0);
  opened.clock.advance(500);
  expect((await read()).get(USED)).toBe(7);
});

test("the time at which the process started does not change", async () => {
  const first = (await read()).get("process_start_time_seconds");
  opened.clock.advance(12_345);
  expect((await read()).get("process_start_time_seconds")).toBe(first ?? 0);
});
