import type { LoadResult } from "../load_plan.ts";
import { markdownTable, number } from "../markdown.ts";
import { peakRssBytes } from "../process_figures.ts";
import { withProxies } from "../proxies.ts";
import type { Report } from "../report.ts";
import type { Rig } from "../rig.ts";
import { chatBody, OPENAI_MODEL, type Work } from "../works.ts";

const STREAMS = 5000;

/** Ten seconds of streams in which little happens: a chunk a second. */
const WORK: Work = {
  name: `${STREAMS} streams`,
  path: "/chat/completions",
  body: chatBody(OPENAI_MODEL, 200, true),
  answer: { kind: "stream", wire: "openai", events: 11, gapMs: 1000 },
  connections: STREAMS,
  pace: { kind: "calls", perConnection: 1 },
};

/** What is asked first, so that the ten seconds begin with a proxy that runs. */
const FIRST: Work = {
  ...WORK,
  connections: 64,
  answer: { kind: "stream", wire: "openai", events: 25, gapMs: 1 },
  pace: { kind: "calls", perConnection: 10 },
};

interface Held {
  readonly target: string;
  readonly run: LoadResult;
  readonly peakRssMb: number;
}

/** Measures what it takes to hold thousands of streams open. A stream that breaks voids it. */
export async function measureManyStreams(rig: Rig): Promise<Report> {
  return await withProxies(rig, ["floor", "ours"], async (targets) => {
    await rig.warmUp(FIRST, targets);
    const held: Held[] = [];
    for (const [target, plan] of await rig.plans(WORK, targets)) {
      const run = await rig.run(target, plan);
      held.push({ target: target.name, run, peakRssMb: peakRssBytes(target.pids) / 2 ** 20 });
    }
    return report(held);
  });
}

function report(held: readonly Held[]): Report {
  const rows = held.map(({ target, run, peakRssMb }) => [
    target,
    String(run.calls),
    "0",
    number(run.seconds),
    number((run.cpuMs / 1000 / run.seconds) * 100),
    number(run.firstMs.p50),
    number(run.firstMs.p99),
    number(peakRssMb),
  ]);
  return {
    title: `${STREAMS} streams at a time, a chunk a second each`,
    text: [
      markdownTable(
        ["proxy", "streams", "broken", "s", "CPU %", "first p50 ms", "first p99 ms", "peak RSS MB"],
        rows,
      ),
    ],
    findings: [
      {
        name: `peak memory with ${STREAMS} streams, none broken`,
        unit: "MB",
        values: held.filter(({ target }) => target === "ours").map(({ peakRssMb }) => peakRssMb),
        atMost: 300,
      },
    ],
    measured: held,
  };
}
