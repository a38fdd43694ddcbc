import type { Synchronous } from "../../store/sqlite.ts";
import type { Percentiles } from "./load_plan.ts";

/** What the ledger's own process is to do. */
export interface LedgerPlan {
  readonly folder: string;
  readonly synchronous: Synchronous;
  /** How many callers ask side by side: the writes of one commit. */
  readonly callers: number;
  readonly seconds: number;
}

export interface LedgerResult {
  readonly calls: number;
  readonly seconds: number;
  readonly cpuMs: number;
  /** How long a caller waits until its hold is on disk. */
  readonly holdMs: Percentiles;
}
