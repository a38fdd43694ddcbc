import { accessSync, constants } from "node:fs";
import type { Config } from "./config.ts";
import type { InFlight } from "./data_plane/in_flight.ts";
import type { ProcessFacts } from "./management_plane/deps.ts";
import type { Clock } from "./std/clock.ts";
import { fileLimit } from "./std/file_limit.ts";
import { isJitActive } from "./std/jit.ts";
import { processUse } from "./std/process_use.ts";
import { newestMs, openHolds } from "./store/database_report.ts";
import type { Ledger } from "./store/ledger.ts";
import type { Db } from "./store/tables.ts";
import type { Telemetry } from "./telemetry.ts";

/** How long the ledger may take to say that it can write, in milliseconds: it may be held up for good. */
const LEDGER_MS_MAX = 2_000;

export interface FactSources {
  readonly config: Config;
  readonly clock: Clock;
  readonly db: Db;
  readonly inFlight: Pick<InFlight, "draining">;
  readonly ledger: Pick<Ledger, "turn">;
  readonly telemetry: Pick<Telemetry, "worstLagMs">;
}

/** Looks up what this process can tell of itself that decides whether it serves well. */
export async function readProcessFacts(sources: FactSources): Promise<ProcessFacts> {
  const { config, clock, db, inFlight, ledger, telemetry } = sources;
  const nowMs = clock.wallMs();
  const holds = await openHolds(db);
  const newest = (await newestMs(db)) ?? 0;
  const use = processUse(nowMs);
  const limit = fileLimit();
  const { surroundings } = config;
  return {
    draining: inFlight.draining,
    jit_active: isJitActive(),
    fetch_capacity: surroundings.fetchCapacity,
    concurrency: config.concurrency,
    open_files: use.openFds,
    open_files_soft: finite(limit?.soft),
    open_files_hard: finite(limit?.hard),
    loop_lag_ms: telemetry.worstLagMs,
    ledger_writable: await isWritable(ledger),
    holds_pending: holds.count,
    oldest_hold_s: holds.oldestMs === null ? null : seconds(nowMs - holds.oldestMs),
    clock_behind_s: seconds(newest - nowMs),
    memory_bytes: use.residentBytes,
    memory_limit_bytes: config.memoryLimitBytes,
    ...readSurroundings(surroundings),
    settings: config.given.map((setting) => ({ ...setting })),
  };
}

/** Looks at what the environment names beside settings. */
export function readSurroundings({
  proxies,
  authorities,
}: Config["surroundings"]): Pick<ProcessFacts, "proxies" | "authorities"> {
  return {
    proxies: [...proxies],
    authorities: authorities.map(({ name, path }) => {
      return { name, path, readable: isReadable(path) };
    }),
  };
}

function isWritable(ledger: FactSources["ledger"]): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), LEDGER_MS_MAX);
  return Promise.race([ledger.turn(), late.promise]).finally(() => clearTimeout(timer));
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** No limit, and one that is not known, are nothing to compare with. */
function finite(limit: number | undefined): number | null {
  return limit !== undefined && Number.isFinite(limit) ? limit : null;
}

function seconds(durationMs: number): number {
  return Math.max(0, Math.floor(durationMs / 1000));
}
