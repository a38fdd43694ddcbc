import type { App } from "../../app.ts";
import type { Log } from "../../std/log.ts";
import {
  openServiceNotifier,
  type ServiceEnvironment,
  type ServiceNotifier,
} from "../../std/service_notify.ts";

/** What a service manager is told about. */
export type ServedApp = Pick<App, "callsInFlight" | "ledgerTurn" | "status">;

export interface ServiceOptions {
  readonly notifier: ServiceNotifier;
  /** How long the service manager waits for a sign of life, in milliseconds; null for ever. */
  readonly watchdogMs: number | null;
  /** How long calls in flight may go on after a stop, in milliseconds. */
  readonly drainTimeoutMs: number;
  readonly log: Log;
}

/** How often the status is told to a service manager that waits for no sign of life, in milliseconds. */
const BEAT_MS = 15_000;

/** How often a stop is reported on, in milliseconds. */
const DRAIN_BEAT_MS = 1000;

/** What a stop takes after the last call has ended, at most, in milliseconds. */
const CLOSE_MS_MAX = 30_000;

/**
 * Opens the way to the service manager that started this process, or returns null if none did. A manager that
 * cannot be told is logged: what it makes of the silence is up to it.
 */
export function openService(
  { notifySocket, watchdogMs }: ServiceEnvironment,
  options: Pick<ServiceOptions, "drainTimeoutMs" | "log">,
): Service | null {
  if (notifySocket === null) return null;
  try {
    return new Service({ notifier: openServiceNotifier(notifySocket), watchdogMs, ...options });
  } catch (error) {
    options.log.error("the service manager is not told", { error: String(error) });
    return null;
  }
}

/** Tells a service manager how the proxy is: starting, ready, alive, draining. */
export class Service {
  readonly #options: ServiceOptions;
  #app: ServedApp | null = null;
  #listen = "";
  #status = "starting";
  #stopping = false;
  #beating = false;
  #heldUp = false;
  #closed = false;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#tell({});
  }

  /** Says that the app serves, and from then on that it is alive. */
  async ready(app: ServedApp): Promise<void> {
    const { listen, provider_configs: configs, inference_keys: keys } = await app.status();
    this.#app = app;
    this.#listen = listen ?? "no address";
    this.#status = `ready on ${this.#listen}, ${counted(configs, "provider config")}, ${counted(keys, "key")}`;
    this.#tell({ READY: 1 });
    const { watchdogMs } = this.#options;
    const periodMs = watchdogMs === null ? BEAT_MS : Math.max(1, watchdogMs / 2);
    this.#timers.push(setInterval(() => void this.beat(), periodMs));
  }

  /**
   * Gives a sign of life once the ledger has given one: late or never if something holds up the event loop or the
   * ledger, where a restart helps. A disk that refuses is no reason to withhold it: a restart would only forget the
   * settlements that wait for room.
   */
  async beat(): Promise<void> {
    if (this.#app === null) return;
    if (this.#beating) return this.#noteHeldUp();
    this.#beating = true;
    const written = await this.#app.ledgerTurn();
    this.#beating = false;
    this.#heldUp = false;
    this.#status = written ? this.#serving() : "cannot write the ledger: calls are refused";
    this.#tell(this.#options.watchdogMs === null ? {} : { WATCHDOG: 1 });
  }

  /** Says that the process was asked to read its configuration again, and is done. */
  reloaded(): void {
    // A start is not over, and a stop not taken back, because somebody asks in between.
    if (this.#app === null || this.#stopping) return;
    const { notifier } = this.#options;
    this.#tell({ RELOADING: 1, MONOTONIC_USEC: notifier.monotonicUsec() });
    this.#tell({ READY: 1 });
  }

  /** Says that the app takes no more calls, and from then on how many are left. */
  stopping(): void {
    this.#stopping = true;
    this.#status = this.#serving();
    // The manager's own limit may be shorter than the one that the operator gave the calls.
    const timeoutMs = this.#options.drainTimeoutMs + CLOSE_MS_MAX;
    this.#tell({ STOPPING: 1, EXTEND_TIMEOUT_USEC: timeoutMs * 1000 });
    this.#timers.push(setInterval(() => this.drainBeat(), DRAIN_BEAT_MS));
  }

  /** Tells how many calls are left, if that has changed. */
  drainBeat(): void {
    const status = this.#serving();
    if (status === this.#status) return;
    this.#status = status;
    this.#tell({});
  }

  /** Falls silent. */
  close(): void {
    if (this.#closed) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#closed = true;
    this.#options.notifier.close();
  }

  #serving(): string {
    const calls = `${counted(this.#app?.callsInFlight ?? 0, "call")} in flight`;
    return this.#stopping ? `draining: ${calls}` : `ready on ${this.#listen}, ${calls}`;
  }

  #noteHeldUp(): void {
    if (this.#heldUp) return;
    this.#heldUp = true;
    this.#options.log.error("the ledger is held up: no sign of life goes to the service manager");
    this.#status = "the ledger is held up";
    this.#tell({});
  }

  #tell(fields: Readonly<Record<string, number | bigint>>): void {
    if (this.#closed) return;
    if (this.#options.notifier.notify({ ...fields, STATUS: this.#status })) return;
    this.#options.log.warn("the service manager took no message", { status: this.#status });
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
