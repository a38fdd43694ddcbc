import type { App } from "../app.ts";
import type { Log } from "../std/log.ts";

/**
 * Keeps serving until the process is told to stop, then lets the calls in flight end and closes. Told a second time,
 * it ends them at once; each of them is settled all the same.
 */
export async function untilStopped(app: App, log: Log): Promise<void> {
  // One forgotten promise must not end everybody's calls.
  process.on("unhandledRejection", (reason) => {
    log.error("unhandled rejection", { error: describe(reason) });
  });
  process.on("SIGHUP", () => log.info("hangup ignored: settings change through the API"));
  await stopSignal();
  const again = stopSignal();
  log.info("stopping", { calls_in_flight: app.callsInFlight });
  await Promise.race([app.drain(), again]);
  await app.close();
  log.info("stopped");
}

/** Resolves at the next signal that asks the process to stop. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
  return promise;
}

function describe(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
