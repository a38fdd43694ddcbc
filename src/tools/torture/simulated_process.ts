import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../std/clock.ts";
import type { Log } from "../../std/log.ts";
import { Ledger } from "../../store/ledger.ts";
import { closeSqlite, openSqlite, type Sqlite } from "../../store/sqlite.ts";
import { prepareSumFaults } from "./sums.ts";

/** Nobody reads what a simulated process logs. */
export const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The real ledger on a real database file, for as long as one process would live. */
export interface SimulatedProcess {
  readonly path: string;
  readonly sqlite: Sqlite;
  readonly ledger: Ledger;
  /** Says where the sums on disk are not those of the calls on disk, if anything was written since. */
  readonly sumFaults: () => string[];
}

/** Opens a database as a process would at its start. Waiting for locks is left out: it only costs time. */
export function startProcess(path: string, clock: Clock): SimulatedProcess {
  const sqlite = openSqlite(path, "normal");
  sqlite.connection.run("pragma busy_timeout = 0");
  const ledger = new Ledger(sqlite, clock, SILENT);
  const changes = sqlite.connection.prepare<{ count: number }, []>(
    "select total_changes() as count",
  );
  const allFaults = prepareSumFaults(sqlite.connection);
  let seen = -1;
  const sumFaults = () => {
    const { count = 0 } = changes.get() ?? {};
    if (count === seen) return [];
    seen = count;
    return allFaults();
  };
  return { path, sqlite, ledger, sumFaults };
}

/** Writes everything down and ends the process in peace. */
export async function stopProcess({ ledger, sqlite }: SimulatedProcess): Promise<boolean> {
  const flushed = await ledger.close();
  await closeSqlite(sqlite);
  return flushed;
}

/**
 * Returns a copy of the database as a process killed at this moment would leave it. The process itself
 * lives on unseen until somebody stops it.
 */
export function killedCopy({ path }: SimulatedProcess, folder: string, name: string): string {
  const copy = join(folder, name);
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  return copy;
}
