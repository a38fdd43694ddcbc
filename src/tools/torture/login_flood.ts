import { peakRssBytes } from "../bench/process_figures.ts";
import { percentile } from "../bench/statistics.ts";
import { Callers } from "./callers.ts";
import { makeCall } from "./client.ts";
import { Flood } from "./flood.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { signIn } from "./sign_in.ts";
import { startUpstream } from "./upstream.ts";
import { streamAnswer, wholeAnswer } from "./upstream_answer.ts";
import { mustHold } from "./violation.ts";

const FLOOD_MS = { quick: 5000, long: 60_000 };
const WARM_UP_MS = 1000;

/** Those that call models meanwhile. */
const CALLERS = 8;
const STREAMS = 20;
const REPORTED = { input: 9, output: 4 };

/** An owner who has never signed in, and from where. */
const OWNER = { user: "ann", password: "another-correct-horse" };
const OWNER_ADDRESS = "127.0.0.2";

/** The owner who is told to come back does so after this time, and gives up after that one, in milliseconds. */
const OWNER_PAUSE_MS = 100;
const OWNER_MS_MAX = 60_000;

/** What it takes to hash two passwords at a time, and once more as much: with more at a time it would be above. */
const HASHING_BYTES_MAX = 2 * 2 * 64 * 2 ** 20;

/** Floods the management plane with wrong passwords while calls and streams run, and lets the owner sign in. */
export async function loginFlood({ binary, long }: PartOptions): Promise<string> {
  const over = Promise.withResolvers<void>();
  await using upstream = startUpstream((arrival) => {
    if (!arrival.stream) return wholeAnswer(arrival, REPORTED);
    const plan = { pieces: 10, pieceDelayMs: 50, end: "usage", until: over.promise } as const;
    return streamAnswer(arrival, { ...plan, reported: REPORTED });
  });
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const endpoint = { url: proxy.url, secret: (await proxy.createKey()).secret };
  await proxy.addOwner(OWNER.user, OWNER.password);
  const streams = Array.from({ length: STREAMS }, (_, index) =>
    makeCall(endpoint, { model: `s-${index}`, operation: "chat", stream: true }),
  );
  const call = async (ms: number) => {
    const callers = new Callers(endpoint, CALLERS);
    await Bun.sleep(ms);
    return { faults: await callers.stop(true), ...percentiles(callers.tookMs) };
  };
  const floodMs = long ? FLOOD_MS.long : FLOOD_MS.quick;
  await call(WARM_UP_MS);
  const before = await call(floodMs);
  const memory = peakRssBytes([proxy.pid]);
  const flood = new Flood(proxy.port);
  const [during, attempts] = await Promise.all([call(floodMs), ownerAttempts(proxy.port)]);
  await flood.stop();
  over.resolve();
  const broken = (await Promise.all(streams)).filter(({ complete }) => !complete).length;
  const grown = peakRssBytes([proxy.pid]) - memory;
  mustHold("During a login flood", [
    ...before.faults,
    ...during.faults,
    ...(broken > 0 ? [`${broken} streams were broken`] : []),
    ...flood.faults(),
    ...(attempts === null ? ["the owner could not sign in from another address"] : []),
    ...(grown > HASHING_BYTES_MAX
      ? [`memory grew by ${mb(grown)} while passwords were hashed`]
      : []),
    ...(proxy.runs ? [] : ["the process has ended"]),
    ...proxy.errors,
  ]);
  return (
    `${before.calls} calls before it, p99 ${before.p99Ms.toFixed(1)} ms, ${during.calls} during it, ` +
    `p99 ${during.p99Ms.toFixed(1)} ms, ratio ${(during.p99Ms / before.p99Ms).toFixed(2)}; none failed, ` +
    `${STREAMS} streams whole; ${flood.figures()}; ${mb(grown)} more for hashing; ` +
    `the owner signed in from another address at attempt ${attempts}`
  );
}

/** Returns the attempt at which the owner is let in; null if it does not come to that in time. */
async function ownerAttempts(port: number): Promise<number | null> {
  const untilMs = performance.now() + OWNER_MS_MAX;
  for (let attempt = 1; performance.now() < untilMs; attempt += 1) {
    if ((await signIn({ port, localAddress: OWNER_ADDRESS }, OWNER)) === 200) return attempt;
    await Bun.sleep(OWNER_PAUSE_MS);
  }
  return null;
}

function percentiles(tookMs: readonly number[]): { calls: number; p99Ms: number } {
  const sorted = tookMs.toSorted((one, other) => one - other);
  return { calls: sorted.length, p99Ms: percentile(sorted, 0.99) };
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
