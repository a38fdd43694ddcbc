import type { App } from "../app.ts";
import type { Log } from "../std/log.ts";
import type { Service } from "./systemd/service.ts";

/** The moments at which the process is told to stop. */
export interface StopSignals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
}

/**
 * Begins to listen for signals, and keeps one forgotten promise from ending everybody's calls.
 *
 * @param hungUp Called after a hangup, by which operators ask a service to read its configuration again.
 */
export function watchSignals(log: Log, hungUp: () => void = () => {}): StopSignals {
  process.on("unhandledRejection", (reason) => {
    log.error("unhandled rejection", { error: describe(reason) });
  });
  process.on("SIGHUP", () => {
    log.info("hangup ignored: settings are live, configuration is fixed at start");
    hungUp();
  });
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  const stop = () => {
    count += 1;
    if (count === 1) first.resolve();
    else second.resolve();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return { first: first.promise, second: second.promise };
}

/**
 * Keeps serving until the first signal, then lets the calls in flight end and closes. The second signal ends them at
 * once; each of them is settled all the same.
 *
 * @param service Who is told about it, if a service manager started this process.
 */
export async function untilStopped(
  app: App,
  log: Log,
  signals: StopSignals,
  service: Pick<Service, "stopping" | "close"> | null = null,
): Promise<void> {
  await signals.first;
  log.info("stopping", { calls_in_flight: app.callsInFlight });
  service?.stopping();
  await Promise.race([app.drain(), signals.second]);
  await app.close();
  service?.close();
  log.info("stopped");
}

function describe(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
