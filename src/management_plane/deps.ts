import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import type { Passwords } from "../std/password.ts";
import type { Live } from "../store/live.ts";
import type { Sqlite } from "../store/sqlite.ts";
import type { Vault } from "../store/vault.ts";

/** What the management plane stands on. */
export interface ManagementDeps {
  readonly db: Sqlite["db"];
  readonly clock: Clock;
  readonly vault: Vault;
  readonly passwords: Passwords;
  readonly live: Pick<
    Live,
    "flush" | "heldTokens" | "month" | "keyChanged" | "organizationChanged"
  >;
  /** The `host:port` that base URLs may name beside the providers' own hosts. */
  readonly allowedUpstreams: ReadonlySet<string>;
  readonly log: Log;
}
