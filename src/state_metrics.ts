import { statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { CallObserver } from "./data_plane/observe.ts";
import type { Clock } from "./std/clock.ts";
import type { Metrics } from "./std/metrics.ts";
import { processUse } from "./std/process_use.ts";
import {
  type KeyGauge,
  type OrganizationGauge,
  topKeys,
  topOrganizations,
} from "./store/gauges.ts";
import type { Ledger } from "./store/ledger.ts";
import type { Db } from "./store/tables.ts";

/** What the state is read from. */
export interface StateSources {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly observer: Pick<CallObserver, "inFlight">;
  readonly databasePath: string;
  /** Returns how many spans could not be exported. */
  readonly droppedSpans: () => number;
}

/** Inference keys and organizations that are shown; the others are further from their limits. */
const SHOWN_MAX = 200;

/** Rows are read again after this many times as long as reading them took: many keys must not keep it busy. */
const REST_FACTOR = 50;

/** What is read of the rows of keys and organizations. */
interface Rows {
  readonly keys: readonly KeyGauge[];
  readonly organizations: readonly OrganizationGauge[];
  readonly freshUntilMs: number;
}

/** Metrics that are not counted but looked up when somebody asks. */
export class StateMetrics {
  readonly #sources: StateSources;
  readonly #gauges;
  readonly #counters;
  readonly #startTimeSeconds: number;
  #rows: Rows | null = null;
  #reading: Promise<Rows> | null = null;

  constructor(metrics: Metrics, sources: StateSources) {
    this.#sources = sources;
    this.#gauges = stateGauges(metrics);
    this.#counters = stateCounters(metrics);
    this.#startTimeSeconds = processUse(sources.clock.wallMs()).startTimeSeconds;
    metrics.show(
      {
        name: "inference_proxy_ledger_commit_seconds",
        help: "Time that a commit of the ledger took, mostly the disk's",
      },
      sources.ledger.commitSeconds,
    );
  }

  /** Looks everything up. */
  async read(): Promise<void> {
    const { ledger } = this.#sources;
    const rows = await this.#freshRows();
    this.#gauges.ledgerWritable.set((await ledger.writable()) ? 1 : 0);
    this.#showRows(rows);
    this.#showCalls();
    this.#showDisk();
    this.#showProcess();
  }

  #showRows({ keys, organizations }: Rows): void {
    const { keyTokens, costLimit, costMonth, circuitOpen } = this.#gauges;
    keyTokens.show(
      keys.flatMap(({ organization, id, name, usedTokens, monthlyTokenLimit }) => [
        [[organization, id, name, "used"], usedTokens],
        [[organization, id, name, "limit"], monthlyTokenLimit],
      ]),
    );
    costLimit.show(organizations.map((one) => [[one.organization], one.limitMicrocents]));
    costMonth.show(organizations.map((one) => [[one.organization], one.costMicrocents]));
    circuitOpen.show(organizations.map((one) => [[one.organization], one.circuitOpen ? 1 : 0]));
  }

  #showCalls(): void {
    const { ledger, observer, droppedSpans } = this.#sources;
    const { streams, wholes } = observer.inFlight;
    this.#gauges.inFlight.show([
      [["true"], streams],
      [["false"], wholes],
    ]);
    this.#gauges.holdsPending.set(ledger.pendingHolds);
    this.#counters.holdsExpired.value = ledger.expiredCalls;
    this.#counters.spansDropped.value = droppedSpans();
  }

  #showDisk(): void {
    const { databasePath } = this.#sources;
    this.#gauges.databaseBytes.set(sizeOf(databasePath));
    this.#gauges.walBytes.set(sizeOf(`${databasePath}-wal`));
    const { bavail, blocks, bsize } = statfsSync(dirname(databasePath));
    this.#gauges.diskFree.set(bavail * bsize);
    this.#gauges.diskSize.set(blocks * bsize);
  }

  #showProcess(): void {
    const use = processUse(this.#sources.clock.wallMs());
    this.#gauges.startTime.set(this.#startTimeSeconds);
    this.#gauges.residentMemory.set(use.residentBytes);
    if (use.openFds !== null) this.#gauges.openFds.set(use.openFds);
    this.#counters.cpuSeconds.value = use.cpuSeconds;
  }

  #freshRows(): Promise<Rows> {
    const { clock } = this.#sources;
    if (this.#rows !== null && clock.monotonicMs() < this.#rows.freshUntilMs)
      return Promise.resolve(this.#rows);
    this.#reading ??= this.#readRows().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readRows(): Promise<Rows> {
    const { db, clock, ledger } = this.#sources;
    const sinceMs = clock.monotonicMs();
    const month = ledger.month(clock.wallMs());
    const keys = await topKeys(db, month, SHOWN_MAX);
    const organizations = await topOrganizations(db, month, SHOWN_MAX);
    const nowMs = clock.monotonicMs();
    this.#rows = {
      keys,
      organizations,
      freshUntilMs: nowMs + (nowMs - sinceMs) * REST_FACTOR,
    };
    return this.#rows;
  }
}

/** Returns a file's size in bytes; 0 if there is none. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function stateGauges(metrics: Metrics) {
  const gauge = (name: string, help: string, ...labels: readonly string[]) =>
    metrics.gauge({ name, help, labels });
  return {
    inFlight: gauge(
      "inference_proxy_inflight_requests",
      "Admitted calls that are not over",
      "stream",
    ),
    keyTokens: gauge(
      "inference_proxy_key_tokens",
      "Tokens of an inference key in this month, used and allowed; of the keys that used most",
      "org",
      "key",
      "name",
      "kind",
    ),
    costMonth: gauge(
      "inference_proxy_cost_month_microcents",
      "Settled cost of an organization in this month, in microcents (1e-8 US dollars)",
      "org",
    ),
    costLimit: gauge(
      "inference_proxy_cost_limit_microcents",
      "Monthly cost limit of an organization, in microcents (1e-8 US dollars)",
      "org",
    ),
    circuitOpen: gauge(
      "inference_proxy_cost_circuit_open",
      "Whether an organization's cost circuit is open: 1 refuses all its calls",
      "org",
    ),
    holdsPending: gauge("inference_proxy_holds_pending", "Holds that are not settled"),
    ledgerWritable: gauge(
      "inference_proxy_ledger_writable",
      "Whether the ledger can be written: 0 refuses all calls",
    ),
    databaseBytes: gauge("inference_proxy_db_bytes", "Size of the database file"),
    walBytes: gauge("inference_proxy_db_wal_bytes", "Size of the database's write-ahead log"),
    diskFree: gauge(
      "inference_proxy_disk_free_bytes",
      "Room left on the disk of the data directory",
    ),
    diskSize: gauge("inference_proxy_disk_size_bytes", "Size of the disk of the data directory"),
    residentMemory: gauge("process_resident_memory_bytes", "Resident memory size in bytes"),
    openFds: gauge("process_open_fds", "Number of open file descriptors"),
    startTime: gauge(
      "process_start_time_seconds",
      "Start time of the process since the Unix epoch in seconds",
    ),
  };
}

function stateCounters(metrics: Metrics) {
  const counter = (name: string, help: string) => metrics.counter({ name, help }).with();
  return {
    holdsExpired: counter(
      "inference_proxy_holds_expired_total",
      "Calls that an earlier process left open and this one posted as estimates",
    ),
    spansDropped: counter(
      "inference_proxy_spans_dropped_total",
      "Spans that were given up because no collector took them",
    ),
    cpuSeconds: counter(
      "process_cpu_seconds_total",
      "Total user and system CPU time spent in seconds",
    ),
  };
}
