import type { BrokenDisk } from "./broken_disk.ts";
import { type Endpoint, makeCall, type Seen } from "./client.ts";
import { openRows, settledFaults } from "./disk_check.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { startUpstream, type Upstream } from "./upstream.ts";
import { streamAnswer, wholeAnswer } from "./upstream_answer.ts";
import { mustHold } from "./violation.ts";
import { waitUntil } from "./wait_until.ts";

const STREAMS = 20;
const CALLS = 60;
const REPORTED = { input: 9, output: 4 };

/** Calls that may still pass before the last free page is used up. */
const PASSING_MAX = 2000;

/** How long it may take until all streams have begun, in milliseconds. */
const START_MS_MAX = 10_000;

/** How long the program may take to notice that there is room again, in milliseconds. */
const RECOVERY_MS_MAX = 3000;

/** Fills a disk while streams run, and frees it again. */
export async function fullDisk(disk: BrokenDisk, { binary }: PartOptions): Promise<string> {
  const ends = Promise.withResolvers<void>();
  await using upstream = startUpstream((arrival) => {
    if (!arrival.stream) return wholeAnswer(arrival, REPORTED);
    const plan = { pieces: 3, pieceDelayMs: 1, end: "usage", until: ends.promise } as const;
    return streamAnswer(arrival, { ...plan, reported: REPORTED });
  });
  const { dataDir, wrapper } = disk;
  await using proxy = await Proxy.open({ binary, upstream: upstream.address, dataDir, wrapper });
  const endpoint = { url: proxy.url, secret: (await proxy.createKey()).secret };
  const { pid } = proxy;
  const streams = Array.from({ length: STREAMS }, (_, index) =>
    makeCall(endpoint, { model: `s-${index}`, operation: "chat", stream: true }),
  );
  await waitUntil(
    "all streams have begun",
    () => upstream.arrivals.length === STREAMS,
    START_MS_MAX,
  );

  disk.fill(pid);
  const passed = await callUntilRefused(endpoint);
  mustHold("A call on a full disk", await refusalFaults(endpoint, upstream));
  ends.resolve();
  const broken = (await Promise.all(streams)).filter(({ complete }) => !complete);
  mustHold(
    "A stream did not survive the full disk",
    broken.map(({ model, status, code }) => `${model}: ${status} ${code}`),
  );
  await Bun.sleep(600);
  const kept = openRows(proxy);
  mustHold("What could not be written", kept === STREAMS ? [] : [`${kept} rows are open`]);

  disk.free(pid);
  const startMs = performance.now();
  await waitUntil("nothing is open", () => openRows(proxy) === 0, RECOVERY_MS_MAX);
  const recoveryMs = Math.round(performance.now() - startMs);
  const after = await makeCall(endpoint, { model: "after", operation: "chat", stream: false });
  mustHold("A call after the full disk", after.complete ? [] : [`${after.status} ${after.code}`]);
  await waitUntil("nothing is open", () => openRows(proxy) === 0, RECOVERY_MS_MAX);
  mustHold("The ledger is wrong", settledFaults(proxy, upstream.arrivals, REPORTED));
  mustHold("The process is another", proxy.pid === pid ? [] : ["it was restarted"]);
  return (
    `${passed} more calls admitted, then ${CALLS} of ${CALLS} refused before the upstream, ` +
    `${STREAMS} running streams whole, their settlements written ${recoveryMs} ms after there was room`
  );
}

async function callUntilRefused(endpoint: Endpoint): Promise<number> {
  for (let number = 0; number < PASSING_MAX; number += 1) {
    const call = { model: `p-${number}`, operation: "chat", stream: false } as const;
    if (!(await makeCall(endpoint, call)).complete) return number;
  }
  mustHold("The disk is full", [`${PASSING_MAX} calls were admitted`]);
  return PASSING_MAX;
}

/** Calls at once and one by one: all must be told to come back, and none may go upstream. */
async function refusalFaults(endpoint: Endpoint, upstream: Upstream): Promise<string[]> {
  const before = upstream.arrivals.length;
  const call = (number: number) =>
    makeCall(endpoint, { model: `f-${number}`, operation: "chat", stream: number % 2 === 0 });
  const seen: Seen[] = [];
  const single = CALLS / 6;
  for (let number = 0; number < single; number += 1) seen.push(await call(number));
  const rest = Array.from({ length: CALLS - single }, (_, index) => call(single + index));
  seen.push(...(await Promise.all(rest)));
  const live = await fetch(`${endpoint.url}/livez`);
  const faults = seen
    .filter(({ status, code, headers }) => {
      return status !== 503 || code !== "overloaded" || !(Number(headers.get("retry-after")) >= 1);
    })
    .map(({ status, code }) => `it was answered ${status} ${code}`);
  const sent = upstream.arrivals.length - before;
  if (sent > 0) faults.push(`${sent} calls went upstream without a hold`);
  if (live.status !== 200) faults.push(`/livez answered ${live.status}`);
  return faults;
}
