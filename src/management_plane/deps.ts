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
}
