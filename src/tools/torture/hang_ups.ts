import { readFileSync } from "node:fs";
import { parseStatusBytes } from "../bench/process_figures.ts";
import type { ClientCall } from "./client.ts";
import { closingAnswer } from "./closing_answer.ts";
import { endedCalls, endedFaults, waitUntilEnded } from "./ended_calls.ts";
import { inParallel } from "./in_parallel.ts";
import type { PartOptions } from "./part.ts";
import { Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import { callBytes } from "./raw_call.ts";
import { RawClient } from "./raw_client.ts";
import { type RawRequest, startRawUpstream, type UpstreamConnection } from "./raw_upstream.ts";
import { mustHold } from "./violation.ts";

/** When a client hangs up. The name is that of its calls, and tells the provider what to do. */
const PHASES = ["head", "body", "sent", "waiting", "answered", "begun", "midst", "last"] as const;

type Phase = (typeof PHASES)[number];

const HANG_UPS = { quick: 4000, long: 100_000 };

/** Clients at a time. */
const CLIENTS = 48;

/** Memory is looked at so many times; the first looks come before everything is compiled and filled. */
const LOOKS = 20;
const WARM_LOOKS = 8;

/** How much more memory there may be between the middle of the second half and the end, in bytes. */
const GROWTH_BYTES_MAX = 64 * 2 ** 20;

/** How long anything may take that a client waits for, in milliseconds. */
const WAIT_MS_MAX = 20_000;

/** How long after the last hang-up everything has ended, in milliseconds. */
const END_MS_MAX = 10_000;

/** Hangs up in every phase of calls, thousands of times. */
export async function hangUps({ binary, long, seed }: PartOptions): Promise<string> {
  const random = new Random(seed);
  const upstreamOf = new Provider();
  await using upstream = await startRawUpstream({
    serve: (request, connection) => upstreamOf.serve(request, connection),
  });
  await using proxy = await Proxy.open({ binary, upstream: upstream.address });
  const key = await proxy.createKey();
  const count = long ? HANG_UPS.long : HANG_UPS.quick;
  const memory: number[] = [];
  const faults: string[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const batch = Array.from({ length: count / LOOKS }, () => random.pick(PHASES));
    await inParallel(batch, CLIENTS, async (phase) => {
      const fault = await hangUp(phase, {
        port: proxy.port,
        secret: key.secret,
        random,
        upstreamOf,
      });
      if (fault !== null) faults.push(fault);
    });
    mustHold("Clients that hang up", faults);
    memory.push(rssOf(proxy));
  }
  await waitUntilEnded(proxy, upstream, END_MS_MAX);
  const warm = memory.slice(WARM_LOOKS);
  const growth = mean(warm.slice(-4)) - mean(warm.slice(0, 4));
  const slope = (growth / 2 ** 20 / (count * (1 - WARM_LOOKS / LOOKS))) * 1000;
  mustHold("After hang-ups", [
    ...(growth > GROWTH_BYTES_MAX
      ? [`memory grew by ${mb(growth)}: ${memory.map(mb).join()}`]
      : []),
    ...(await endedFaults(proxy, [key], upstream, true)),
  ]);
  return (
    `${count} hang-ups in ${PHASES.length} phases, ${upstream.arrivals.length} of them when the provider had the call; ` +
    `${ended(proxy)}; nothing held, no connection open, ` +
    `memory ${mb(memory[WARM_LOOKS] ?? 0)} warm and ${mb(memory.at(-1) ?? 0)} at last, ${slope.toFixed(2)} MB more for each thousand`
  );
}

function ended(proxy: Proxy): string {
  const all = endedCalls(proxy);
  const sum = (name: "calls" | "exact" | "estimated" | "voided") =>
    all.reduce((total, one) => total + one[name], 0);
  return (
    `${sum("calls")} in the ledger, each once: ${sum("exact")} exact, ${sum("estimated")} estimated, ` +
    `${sum("voided")} voided`
  );
}

interface HangUp {
  readonly port: number;
  readonly secret: string;
  readonly random: Random;
  readonly upstreamOf: Provider;
}

/** Makes a call and hangs up in that phase of it. Returns what went wrong before; null if nothing did. */
async function hangUp(
  phase: Phase,
  { port, secret, random, upstreamOf }: HangUp,
): Promise<string | null> {
  const model = upstreamOf.nextName(phase);
  const stream = phase === "begun" || phase === "midst" || phase === "last" || random.chance(0.5);
  const call: ClientCall = { model, operation: "chat", stream };
  const bytes = callBytes(secret, call);
  const head = bytes.indexOf("\r\n\r\n") + 4;
  const client = await RawClient.connect({ port });
  const sent = lengthSent(phase, head, bytes.length, random);
  client.send(bytes.subarray(0, sent));
  const came = await until(phase, client, upstreamOf.arrived(model));
  if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  client.hangUp(random.pick(["reset", "close"]));
  return came ? null : `${phase}: it did not come to that, status ${client.status}, ${client.text}`;
}

function lengthSent(phase: Phase, head: number, length: number, random: Random): number {
  if (phase === "head") return random.between(1, head - 1);
  return phase === "body" ? random.between(head, length - 1) : length;
}

/** Resolves with whether the phase has come. */
async function until(phase: Phase, client: RawClient, arrived: Promise<void>): Promise<boolean> {
  switch (phase) {
    case "head":
    case "body":
    case "sent":
      return true;
    case "waiting":
      await Promise.race([arrived, client.until(() => client.status > 0, WAIT_MS_MAX)]);
      return client.status === 0;
    case "answered":
      return await client.until(() => client.status > 0, WAIT_MS_MAX);
    case "begun":
      return await client.until(() => client.bodyBytes > 0, WAIT_MS_MAX);
    case "midst":
      return await client.until(() => client.text.includes("word3"), WAIT_MS_MAX);
    case "last":
      return await client.until(() => client.text.includes('"finish_reason":"stop"'), WAIT_MS_MAX);
  }
}

const PIECES = closingAnswer({ kind: "stream", wire: "openai", events: 24, gapMs: 1 });
const WHOLE = closingAnswer({ kind: "chat", wire: "openai" });

/** Answers each call as its phase needs it. */
class Provider {
  readonly #arriving = new Map<string, PromiseWithResolvers<void>>();
  #names = 0;

  /** Returns a name for a call that is to be left in this phase. */
  nextName(phase: Phase): string {
    this.#names += 1;
    const name = `${phase}-${this.#names}`;
    this.#arriving.set(name, Promise.withResolvers());
    return name;
  }

  /** Resolves when the call has come. */
  arrived(name: string): Promise<void> {
    return this.#arriving.get(name)?.promise ?? Promise.resolve();
  }

  async serve({ model, stream }: RawRequest, connection: UpstreamConnection): Promise<void> {
    this.#arriving.get(model)?.resolve();
    this.#arriving.delete(model);
    // Whoever waits is not answered, and the connection ends when the proxy ends it.
    if (model.startsWith("waiting")) return;
    for (const piece of stream ? PIECES : WHOLE) {
      await connection.write(piece);
      if (stream) await Bun.sleep(1);
    }
    connection.close();
  }
}

function rssOf({ pid }: Proxy): number {
  return parseStatusBytes(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
