import type { AnswerSpec } from "./answers.ts";
import { type Child, portOf, startChild } from "./children.ts";
import type { LoadPlan, LoadReport, LoadResult } from "./load_plan.ts";
import type { Options } from "./options.ts";
import { probe } from "./probe.ts";
import { RELAY, type Target } from "./target.ts";
import type { Work } from "./works.ts";

/** One line of a table: what one target did of one work, round by round. */
export interface Cell {
  readonly work: string;
  readonly connections: number;
  readonly target: string;
  /** The events of each answer; 1 if it is no stream. */
  readonly events: number;
  readonly rounds: readonly LoadResult[];
}

/** How many calls, or chunks of streams, a warm-up makes. */
const WARM_UP_STEPS = 20_000;
const WARM_UP_S_MAX = 3;

/** The processes around the proxies: the upstream and the load generator. */
export class Rig {
  readonly options: Options;
  /** A folder for the files of this run. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly #upstream: Child<AnswerSpec, unknown>;
  readonly #load: Child<LoadPlan, LoadReport>;

  private constructor(
    options: Options,
    folder: string,
    upstream: Child<AnswerSpec, unknown>,
    load: Child<LoadPlan, LoadReport>,
  ) {
    this.options = options;
    this.folder = folder;
    this.#upstream = upstream;
    this.#load = load;
    this.upstreamPort = portOf(upstream.greeting);
  }

  static async open(options: Options, folder: string): Promise<Rig> {
    const upstream = await startChild<AnswerSpec, unknown>("upstream.ts");
    const load = await startChild<LoadPlan, LoadReport>("load.ts");
    return new Rig(options, folder, upstream, load);
  }

  async close(): Promise<void> {
    await this.#load.stop();
    await this.#upstream.stop();
  }

  /** The upstream itself as a target: what a call takes without a proxy. */
  direct(keysFile: string): Target {
    return {
      ...RELAY,
      name: "direct",
      port: this.upstreamPort,
      pids: [this.#upstream.pid],
      keysFile,
      stop: async () => {},
    };
  }

  /** Sets what the upstream answers from now on. */
  async #answer(spec: AnswerSpec): Promise<void> {
    await this.#upstream.ask(spec);
  }

  /**
   * Measures one work on several targets, round by round: each round has a run of each, so that whatever
   * else the machine does falls on all of them.
   *
   * @throws If a call fails or an answer is not whole: then nothing was measured.
   */
  async measure(work: Work, targets: readonly Target[]): Promise<Cell[]> {
    const plans = await this.plans(work, targets);
    const rounds = new Map<Target, LoadResult[]>(targets.map((target) => [target, []]));
    for (let round = 0; round < this.options.rounds; round += 1) {
      // There and back again: a machine that grows slower by the second would favour whoever is first.
      const order = round % 2 === 0 ? [...plans] : [...plans].reverse();
      for (const [target, plan] of order) rounds.get(target)?.push(await this.run(target, plan));
    }
    const events = work.answer.kind === "stream" ? work.answer.events : 1;
    return targets.map((target) => ({
      work: work.name,
      connections: work.connections,
      target: target.name,
      events,
      rounds: rounds.get(target) ?? [],
    }));
  }

  /**
   * Does a work many times on each target that is made of JavaScript: such code is compiled better and better
   * while it runs. Counted in calls, for time says little on a busy machine; but it takes no longer than a moment.
   */
  async warmUp(work: Work, targets: readonly Target[]): Promise<void> {
    const events = work.answer.kind === "stream" ? work.answer.events : 1;
    const calls = Math.max(WARM_UP_STEPS / events, work.connections);
    const perConnection = Math.ceil(calls / work.connections);
    const pace = { kind: "calls", perConnection, secondsMax: WARM_UP_S_MAX } as const;
    const warm = targets.filter(({ name }) => name !== "direct" && name !== "nginx");
    for (const [target, plan] of await this.plans(work, warm))
      await this.run(target, { ...plan, pace });
  }

  /**
   * Returns the plan of a work for each target, after a first call that shows what a whole answer is, and lets
   * the upstream answer as the work says.
   */
  async plans(work: Work, targets: readonly Target[]): Promise<Map<Target, LoadPlan>> {
    // What a stream says does not depend on how long it takes.
    const { answer } = work;
    await this.#answer(answer.kind === "stream" ? { ...answer, gapMs: 0 } : answer);
    const plans = new Map<Target, LoadPlan>();
    for (const target of targets) plans.set(target, await planOf(work, target));
    await this.#answer(answer);
    return plans;
  }

  /** Runs a work on one target, once. @throws If any of its calls fails. */
  async once(work: Work, target: Target): Promise<LoadResult> {
    const plan = (await this.plans(work, [target])).get(target);
    if (plan === undefined) throw new Error(`Cannot measure ${target.name}: it has no plan`);
    return await this.run(target, plan);
  }

  /** Runs one plan. @throws If any of its calls fails. */
  async run(target: Target, plan: LoadPlan): Promise<LoadResult> {
    const report = await this.#load.ask(plan);
    if ("result" in report) return report.result;
    throw new Error(`Cannot measure ${target.name}: ${report.failure}`);
  }
}

async function planOf(work: Work, target: Target): Promise<LoadPlan> {
  const request = { path: target.basePath + work.path, body: work.body };
  return {
    ...request,
    port: target.port,
    connections: work.connections,
    headers: target.headers,
    keysFile: target.keysFile,
    pace: work.pace,
    expected: await probe(target, request, work.answer),
    pids: target.pids,
  };
}
