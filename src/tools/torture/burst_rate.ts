import { makeCall, type Seen } from "./client.ts";
import type { PartOptions } from "./part.ts";
import { type CreatedKey, Proxy } from "./proxy.ts";
import { type Arrival, startUpstream, type Upstream } from "./upstream.ts";
import { wholeAnswer } from "./upstream_answer.ts";
import { mustHold } from "./violation.ts";

const LIMITS_RPM = [1, 2, 60, 600];

/** How many times the limit comes at once. */
const BURST_FACTOR = 3;

const WINDOW_S = 60;

interface LimitedKey extends CreatedKey {
  readonly rpm: number;
}

/** Sends three times what a key may in a minute at once, again after a kill, and in the long form in the next minute. */
export async function burstRate({ binary, long }: PartOptions): Promise<string> {
  await using upstream = startUpstream((arrival) => wholeAnswer(arrival, { input: 5, output: 1 }));
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const keys: LimitedKey[] = [];
  for (const rpm of LIMITS_RPM) keys.push({ ...(await proxy.createKey({ rpm })), rpm });
  const startMs = performance.now();
  for (const key of keys) {
    const seen = await callAtOnce(proxy, key, key.rpm * BURST_FACTOR);
    mustHold(`A burst at ${key.rpm} a minute`, burstFaults(seen, upstream.takeArrivals(), key.rpm));
  }
  proxy.kill();
  await proxy.ended();
  await proxy.start();
  for (const key of keys) {
    const seen = await callAtOnce(proxy, key, key.rpm);
    // A slow machine may need longer than the window for all this.
    if (performance.now() - startMs > WINDOW_S * 1000) break;
    mustHold(`A burst after a kill`, burstFaults(seen, upstream.takeArrivals(), 0));
  }
  const attempts = LIMITS_RPM.reduce((sum, rpm) => sum + rpm * (BURST_FACTOR + 1), 0);
  const next = long ? await nextMinute(proxy, keys, upstream) : "";
  return `rate: ${attempts} calls at limits of ${LIMITS_RPM.join(", ")}, 0 over, a kill between${next}`;
}

function callAtOnce({ url }: Proxy, { secret }: CreatedKey, calls: number): Promise<Seen[]> {
  return Promise.all(
    Array.from({ length: calls }, (_, index) => {
      const call = { model: `r-${index}`, operation: "chat", stream: false } as const;
      return makeCall({ url, secret }, call);
    }),
  );
}

function burstFaults(
  seen: readonly Seen[],
  arrivals: readonly Arrival[],
  admitted: number,
): string[] {
  const faults: string[] = [];
  if (arrivals.length !== admitted)
    faults.push(`${arrivals.length} calls reached the upstream, should be ${admitted}`);
  const complete = seen.filter((one) => one.complete).length;
  if (complete !== admitted) faults.push(`${complete} calls were answered, should be ${admitted}`);
  for (const { status, code, headers, complete: answered } of seen) {
    if (answered) continue;
    const waitS = Number(headers.get("retry-after"));
    const fits = Number.isInteger(waitS) && waitS >= 1 && waitS <= WINDOW_S;
    if (status !== 429 || code !== "rate_limited" || !fits)
      faults.push(`a call was refused with ${status} ${code}, retry-after ${waitS}`);
  }
  return faults;
}

/** Waits as long as each key is told to, and calls once more. */
async function nextMinute(
  proxy: Proxy,
  keys: readonly LimitedKey[],
  upstream: Upstream,
): Promise<string> {
  await Promise.all(
    keys.map(async (key) => {
      const [refused] = await callAtOnce(proxy, key, 1);
      await Bun.sleep(Number(refused?.headers.get("retry-after") ?? 0) * 1000);
      const [seen] = await callAtOnce(proxy, key, 1);
      const answer = `${seen?.status} ${seen?.code}`;
      mustHold("A client that waited as long as it was told", seen?.complete ? [] : [answer]);
    }),
  );
  upstream.takeArrivals();
  return `, ${keys.length} of ${keys.length} admitted after the wait they were told`;
}
