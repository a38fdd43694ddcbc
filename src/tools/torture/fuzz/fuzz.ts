import { readFileSync } from "node:fs";
import { PREFIXES } from "../../../stand_in/routes.ts";
import { startStandIn } from "../../../stand_in/stand_in.ts";
import { parseStatusBytes } from "../../bench/process_figures.ts";
import { inParallel } from "../in_parallel.ts";
import type { PartOptions } from "../part.ts";
import { Proxy } from "../proxy.ts";
import { RawClient } from "../raw_client.ts";
import { mustHold, Violation } from "../violation.ts";
import { Attempts, type Attempt } from "./attempts.ts";
import { faultOf, kindOf, type Reply } from "./verdict.ts";

const REQUESTS = { quick: 20_000, long: 1_000_000 };

/** After so many requests what they may have changed is set right, and everything is looked at. */
const BATCH = 500;

/** Requests at a time. */
const WORKERS = 64;

/** How long an answer may take to a request that is complete, in milliseconds. */
const ANSWER_MS_MAX = 20_000;

/** How long the end of a request that is none may be waited for, in milliseconds. */
const SILENT_MS = 150;

/** How much more memory there may be at the end, in bytes: much more than what comes and goes. */
const GROWTH_BYTES_MAX = 300 * 2 ** 20;

/** How much is shown of a request, in bytes. */
const SHOWN_BYTES_MAX = 16_384;

/** What was seen so far. */
interface Tally {
  readonly kinds: Map<string, number>;
  requests: number;
  worstMs: number;
}

/** Sends what no client should, and what few do, and looks whether each is answered for what it is. */
export async function fuzz({ binary, long, seed }: PartOptions): Promise<string> {
  const standIn = startStandIn();
  await using proxy = await Proxy.open({
    binary,
    upstream: standIn.address,
    providers: providers(),
  });
  const key = await proxy.createKey();
  const attempts = new Attempts(proxy, key);
  const tally: Tally = { kinds: new Map(), requests: 0, worstMs: 0 };
  const total = long ? REQUESTS.long : REQUESTS.quick;
  let startRss = 0;
  for (let batch = 0; batch * BATCH < total; batch += 1) {
    await runBatch(proxy, attempts.batch(seed + batch, BATCH), seed + batch, tally);
    await proxy.configure();
    // What is compiled and cached on the way is no growth.
    if (batch * BATCH < total / 10) startRss = rssOf(proxy);
  }
  await standIn.stop();
  const endRss = rssOf(proxy);
  mustHold(
    "Memory",
    endRss - startRss > GROWTH_BYTES_MAX ? [`${mb(startRss)} grew to ${mb(endRss)}`] : [],
  );
  const kinds = [...tally.kinds].toSorted(([one], [other]) => one.localeCompare(other));
  return (
    `${tally.requests} requests, answered ${kinds.map(([kind, count]) => `${kind}: ${count}`).join(", ")}; ` +
    `own 5xx: 0, exits: 0, memory ${mb(startRss)} at first, ${mb(endRss)} at last, the slowest answer ${Math.round(tally.worstMs)} ms`
  );
}

function providers(): Record<string, string> {
  const { azure, ...others } = PREFIXES;
  return { ...others, azure_openai: azure };
}

/** @throws {Violation} With the first request that was not answered as it should be, so that it can be sent again. */
async function runBatch(
  proxy: Proxy,
  attempts: readonly Attempt[],
  seed: number,
  tally: Tally,
): Promise<void> {
  await inParallel(attempts, WORKERS, async (attempt) => {
    const startMs = performance.now();
    const reply = await send(proxy.port, attempt);
    const kind = kindOf(reply);
    tally.requests += 1;
    tally.kinds.set(kind, (tally.kinds.get(kind) ?? 0) + 1);
    if (kind !== "silent") tally.worstMs = Math.max(tally.worstMs, performance.now() - startMs);
    const fault = faultOf(reply) ?? lateFault(attempt, reply);
    if (fault !== null) throw new Violation(`${fault}\n  ${replay(attempt, seed)}`);
  });
  if (!proxy.runs) throw new Violation(`The process has ended, with --seed ${seed}\n${proxy.log}`);
  mustHold(`The log holds errors, with --seed ${seed}`, proxy.errors);
}

async function send(port: number, { bytes, isComplete }: Attempt): Promise<Reply> {
  const client = await RawClient.connect({ port });
  client.send(bytes);
  const limitMs = isComplete ? ANSWER_MS_MAX : SILENT_MS;
  const came = await client.until(() => client.complete || client.oddity !== null, limitMs);
  const { status, text: body, closed } = client;
  client.hangUp("reset");
  if (status > 0)
    return { status, body: came && client.oddity === null ? body : "", end: "answered" };
  return { status, body: "", end: closed ? "closed" : "silent" };
}

/** A request that is complete is answered, whatever it says. */
function lateFault({ isComplete }: Attempt, { end }: Reply): string | null {
  return isComplete && end !== "answered" ? `a complete request was not answered: ${end}` : null;
}

/** Says how to send a request again. The seed makes it anew, with the keys of another run. */
function replay({ bytes, name }: Attempt, seed: number): string {
  const shown = bytes.subarray(0, SHOWN_BYTES_MAX).toString("base64");
  const more = bytes.length > SHOWN_BYTES_MAX ? "..." : "";
  return `${name}, --seed ${seed}, ${bytes.length} bytes, in base64:\n  ${shown}${more}`;
}

function rssOf({ pid }: Proxy): number {
  return parseStatusBytes(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS");
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
