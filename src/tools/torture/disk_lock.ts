import { type Endpoint, makeCall, type Seen } from "./client.ts";
import { openRows, settledFaults } from "./disk_check.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { startUpstream } from "./upstream.ts";
import { streamAnswer, wholeAnswer } from "./upstream_answer.ts";
import { mustHold } from "./violation.ts";

const LOCK_MS = 3000;
const STREAMS = 20;
const CALLERS = 8;
const REPORTED = { input: 9, output: 4 };

/** Bounds how long the lock may keep somebody waiting who needs no database, in milliseconds. */
const STALL_MS_MAX = 250;

/** Holds the database's write lock from another process while calls run. */
export async function lockedDatabase({ binary }: PartOptions): Promise<string> {
  await using upstream = startUpstream((arrival) => {
    const plan = { pieces: LOCK_MS / 50, pieceDelayMs: 60, end: "usage" } as const;
    return arrival.stream
      ? streamAnswer(arrival, { ...plan, reported: REPORTED })
      : wholeAnswer(arrival, REPORTED);
  });
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const endpoint = { url: proxy.url, secret: (await proxy.createKey()).secret };
  const streams = Array.from({ length: STREAMS }, (_, index) =>
    makeCall(endpoint, { model: `s-${index}`, operation: "chat", stream: true }),
  );
  while (upstream.arrivals.length < STREAMS) await Bun.sleep(5);

  const other = proxy.openDatabase();
  other.run("begin immediate");
  const endMs = performance.now() + LOCK_MS;
  const locked = () => performance.now() < endMs - 100;
  const waits = probe(proxy.url, locked);
  const callers = Array.from({ length: CALLERS }, (_, index) =>
    callOnAndOn(endpoint, `l-${index}`, locked),
  );
  const seen = (await Promise.all(callers)).flat();
  const stallMs = Math.max(...(await waits));
  const managed = await proxy.manageStatus("PUT", "/settings", { eu_only: false });
  const sent = upstream.arrivals.length - STREAMS;
  other.run("rollback");
  other.close();

  const startMs = performance.now();
  const after = await callOnAndOn(endpoint, "a", () => true, true);
  const recoveryMs = Math.round(performance.now() - startMs);
  const whole = (await Promise.all(streams)).filter(({ complete }) => complete).length;
  while (openRows(proxy) > 0 && performance.now() - startMs < LOCK_MS * 3) await Bun.sleep(20);
  mustHold("A locked database", [
    ...seen.filter(({ code }) => code !== "overloaded").map(({ status }) => `answered ${status}`),
    ...(sent > 0 ? [`${sent} calls went upstream without a hold`] : []),
    ...(stallMs > STALL_MS_MAX ? [`/livez was kept waiting for ${Math.round(stallMs)} ms`] : []),
    ...(whole < STREAMS ? [`${STREAMS - whole} streams were broken`] : []),
    ...(after.at(-1)?.complete ? [] : ["no call was admitted afterwards"]),
    ...settledFaults(proxy, upstream.arrivals, REPORTED),
  ]);
  return (
    `locked for ${LOCK_MS / 1000} s: ${seen.length} calls refused, ${sent} sent, ${STREAMS} streams ` +
    `whole, /livez within ${Math.round(stallMs)} ms, a change of settings answered ${managed}, ` +
    `calls admitted ${recoveryMs} ms after the lock`
  );
}

/** Asks for a sign of life again and again, and returns how long each took in milliseconds. */
async function probe(url: string, goesOn: () => boolean): Promise<number[]> {
  const waits = [0];
  while (goesOn()) {
    const startMs = performance.now();
    await (await fetch(`${url}/livez`)).text();
    waits.push(performance.now() - startMs);
    await Bun.sleep(10);
  }
  return waits;
}

async function callOnAndOn(
  endpoint: Endpoint,
  name: string,
  goesOn: () => boolean,
  untilAdmitted = false,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  while (goesOn() && !(untilAdmitted && (seen.at(-1)?.complete || seen.length > 500))) {
    const model = `${name}-${seen.length}`;
    seen.push(await makeCall(endpoint, { model, operation: "chat", stream: false }));
    await Bun.sleep(5);
  }
  return seen;
}
