/**
 * The load generator, a process of its own: raw connections, requests made up beforehand, answers read
 * just far enough to know that they are whole. It is told by messages what to do.
 */
import { readFileSync } from "node:fs";
import { LoadConnection, type LoadRun } from "./load_connection.ts";
import type { LoadPlan, LoadReport, LoadResult, Percentiles } from "./load_plan.ts";
import { cpuMs } from "./process_figures.ts";
import { requestsOf } from "./request_bytes.ts";
import { percentile } from "./statistics.ts";

/** Connections opened, or begun to be used, at a time: no listen queue is that short. */
const BATCH = 100;
const BATCH_GAP_MS = 5;

/** What a proxy may still have to write when its last answer is out, in milliseconds. */
const SETTLE_MS = 20;

/** How long the last answers may take after the time is over, in milliseconds. */
const LAST_ANSWERS_MS = 20_000;

/** Whose turn it is among the keys. It goes on from run to run, so that all of them come to call. */
let turn = 0;

/** One run of a plan. */
class Run implements LoadRun {
  readonly expected;
  readonly #plan: LoadPlan;
  readonly #requests: readonly Buffer[];
  readonly #totals: number[] = [];
  readonly #firsts: number[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #open = 0;
  #over = false;
  #untilMs = Number.POSITIVE_INFINITY;
  #counts = false;
  #failure: string | null = null;
  #connections: readonly LoadConnection[] = [];

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.expected = plan.expected;
    this.#requests = requestsOf(plan, readFileSync(plan.keysFile, "utf8"));
  }

  async measure(): Promise<LoadResult> {
    const { connections: count, port, pace } = this.#plan;
    const connections = Array.from({ length: count }, () => new LoadConnection(this));
    this.#connections = connections;
    for (const batch of batches(connections)) {
      await Promise.all(batch.map((connection) => connection.open(port)));
      this.#open += batch.length;
      if (count > BATCH) await Bun.sleep(BATCH_GAP_MS);
    }
    return await (pace.kind === "seconds"
      ? this.#forSeconds(connections, pace)
      : this.#calls(connections));
  }

  next(connection: LoadConnection): Buffer | null {
    const { pace } = this.#plan;
    const last = pace.kind === "calls" && connection.requests === pace.perConnection;
    const late = pace.kind === "calls" && performance.now() > this.#untilMs;
    if (this.#over || last || late) return null;
    turn = (turn + 1) % this.#requests.length;
    return this.#requests[turn] ?? null;
  }

  answered(startedMs: number, firstMs: number, nowMs: number): void {
    if (!this.#counts) return;
    this.#totals.push(nowMs - startedMs);
    this.#firsts.push(firstMs - startedMs);
  }

  failed(why: string): void {
    if (this.#failure !== null) return;
    this.#failure = why;
    this.#ended.resolve();
    for (const connection of this.#connections) connection.abandon();
  }

  closed(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#ended.resolve();
  }

  async #forSeconds(
    connections: readonly LoadConnection[],
    { warmUp, seconds }: { readonly warmUp: number; readonly seconds: number },
  ): Promise<LoadResult> {
    await startAll(connections);
    await Promise.race([Bun.sleep(warmUp * 1000), this.#ended.promise]);
    this.#counts = true;
    const before = this.#look();
    await Promise.race([Bun.sleep(seconds * 1000), this.#ended.promise]);
    const after = this.#look();
    this.#counts = false;
    this.#over = true;
    await this.#lastAnswers();
    return this.#result(before, after);
  }

  async #calls(connections: readonly LoadConnection[]): Promise<LoadResult> {
    this.#counts = true;
    const before = this.#look();
    const { pace } = this.#plan;
    const seconds = (pace.kind === "calls" && pace.secondsMax) || Number.POSITIVE_INFINITY;
    this.#untilMs = before.nowMs + seconds * 1000;
    await startAll(connections);
    await this.#ended.promise;
    const { nowMs } = this.#look();
    await Bun.sleep(SETTLE_MS);
    return this.#result(before, { ...this.#look(), nowMs });
  }

  async #lastAnswers(): Promise<void> {
    const late = setTimeout(() => this.failed("answers do not end"), LAST_ANSWERS_MS);
    await this.#ended.promise;
    clearTimeout(late);
  }

  #look() {
    return { nowMs: performance.now(), cpuMs: cpuMs(this.#plan.pids), calls: this.#totals.length };
  }

  #result(
    before: { readonly nowMs: number; readonly cpuMs: number },
    after: { readonly nowMs: number; readonly cpuMs: number; readonly calls: number },
  ): LoadResult {
    if (this.#failure !== null) throw new Error(this.#failure);
    if (after.calls === 0) throw new Error("no call was answered");
    return {
      calls: after.calls,
      seconds: (after.nowMs - before.nowMs) / 1000,
      cpuMs: after.cpuMs - before.cpuMs,
      totalMs: percentilesOf(this.#totals),
      firstMs: percentilesOf(this.#firsts),
    };
  }
}

async function startAll(connections: readonly LoadConnection[]): Promise<void> {
  for (const batch of batches(connections)) {
    for (const connection of batch) connection.start();
    if (connections.length > BATCH) await Bun.sleep(BATCH_GAP_MS);
  }
}

function batches(connections: readonly LoadConnection[]): LoadConnection[][] {
  const count = Math.ceil(connections.length / BATCH);
  return Array.from({ length: count }, (_, index) =>
    connections.slice(index * BATCH, (index + 1) * BATCH),
  );
}

function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

async function report(plan: LoadPlan): Promise<LoadReport> {
  try {
    return { result: await new Run(plan).measure() };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

process.on("message", (plan: LoadPlan) => void report(plan).then((sent) => process.send?.(sent)));
process.on("disconnect", () => process.exit());
process.send?.("ready");
