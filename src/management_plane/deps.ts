import type { TryProvider } from "../domain/provider_trial.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import type { Passwords } from "../std/password.ts";
import type { Erasure } from "../store/erasure.ts";
import type { Live } from "../store/live.ts";
import type { MasterKeyRotation } from "../store/master_key_rotation.ts";
import type { Sqlite } from "../store/sqlite.ts";
import type { Vault } from "../store/vault.ts";
import type { LoginThrottle } from "./login_throttle.ts";

/** How the process is doing. */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly started_at: string;
  /** The address it listens on; null if it does not. */
  readonly listen: string | null;
  readonly data_dir: string;
  readonly schema: string;
  readonly master_key_id: string;
  readonly draining: boolean;
  readonly calls_in_flight: number;
  readonly organizations: number;
  readonly provider_configs: number;
  /** Those that are active. */
  readonly inference_keys: number;
  readonly circuits_open: number;
  readonly database_bytes: number;
}

/** What the process knows of itself that decides whether it serves well. */
export interface ProcessFacts {
  readonly draining: boolean;
  /** Whether the engine compiles to machine code; without, it is many times slower. */
  readonly jit_active: boolean;
  /** How many requests to providers the runtime sends at a time. */
  readonly fetch_capacity: number;
  /** How many calls are served at a time. */
  readonly concurrency: number;
  /** Files and connections; null where the system does not tell. */
  readonly open_files: number | null;
  /** How many there may be; null where the system does not tell, or sets no limit. */
  readonly open_files_soft: number | null;
  readonly open_files_hard: number | null;
  /** The longest that work waited for its turn in the last minute; null if nobody measured. */
  readonly loop_lag_ms: number | null;
  readonly ledger_writable: boolean;
  readonly holds_pending: number;
  /** The age of the oldest of them; null if there is none. */
  readonly oldest_hold_s: number | null;
  /** How far the clock is behind what is written down; 0 if it is not. */
  readonly clock_behind_s: number;
  readonly memory_bytes: number;
  /** Above it calls are refused; 0 if there is no limit. */
  readonly memory_limit_bytes: number;
  /** Variables that name a proxy, none of which is used. */
  readonly proxies: string[];
  /** Variables that name certificates of authorities. */
  readonly authorities: { name: string; path: string; readable: boolean }[];
  /** Every setting as it was given, and by whom. */
  readonly settings: { name: string; value: string; source: string }[];
}

/** What the management plane stands on. */
export interface ManagementDeps {
  readonly db: Sqlite["db"];
  readonly clock: Clock;
  readonly vault: Vault;
  readonly rotation: Pick<MasterKeyRotation, "state" | "begin" | "finish">;
  readonly erasure: Pick<Erasure, "erase">;
  readonly passwords: Passwords;
  readonly throttle: Pick<LoginThrottle, "attempt" | "unlock">;
  readonly live: Pick<
    Live,
    "flush" | "heldTokens" | "month" | "keyChanged" | "organizationChanged"
  >;
  /** The `host:port` that base URLs may name beside the providers' own hosts. */
  readonly allowedUpstreams: ReadonlySet<string>;
  readonly log: Log;
  /** What the process says about itself, for the operator. */
  readonly status: () => Promise<Status>;
  readonly facts: () => Promise<ProcessFacts>;
  /** Asks a provider for its models in an organization's name, over the data plane's way out. */
  readonly tryProvider: TryProvider;
}
