import type { Directory } from "../store/directory.ts";
import type { Ledger } from "../store/ledger.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import type { Connections } from "./connections.ts";
import type { InFlight } from "./in_flight.ts";
import type { CallObserver } from "./observe.ts";
import type { Pulse } from "./pulse.ts";
import type { Slots } from "./slots.ts";
import type { UpstreamHosts } from "./upstream_hosts.ts";

/** What the data plane decides by, from the configuration. Times in milliseconds. */
export interface DataPlaneConfig {
  readonly bodyBytesMax: number;
  /** How long a provider may take until its answer begins. */
  readonly upstreamHeadersTimeoutMs: number;
  /** How long a provider's answer may pause. */
  readonly upstreamIdleTimeoutMs: number;
  /** How long a provider's answer may go on once it has begun. */
  readonly answerTimeLimitMs: number;
  /** Whether a provider's error is answered as 502 with the error inside, or with its own status. */
  readonly upstreamErrors: "wrapped" | "passthrough";
  /** Whether a model without a price is charged at the fallback rate, or refused. */
  readonly unpriced: "fallback" | "refuse";
}

/** Everything that serves calls, built once. */
export interface Deps {
  readonly config: DataPlaneConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly connections: Connections;
  readonly hosts: UpstreamHosts;
  readonly inFlight: InFlight;
  readonly observer: CallObserver;
  readonly slots: Slots;
  readonly pulse: Pulse;
}
