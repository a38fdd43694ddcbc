import { peakMemoryText, withProxies } from "../proxies.ts";
import {
  added,
  callsPerS,
  cellTable,
  column,
  cpuUsPerCall,
  cpuUsPerEvent,
  excesses,
  firstP50Ms,
  firstP99Ms,
  type Metric,
  ratios,
  type Report,
  timesFloor,
} from "../report.ts";
import type { Cell, Rig } from "../rig.ts";
import type { Pace } from "../load_plan.ts";
import { chatBody, OPENAI_MODEL, type Work } from "../works.ts";

const eventsPerS: Metric = (round, cell) => callsPerS(round, cell) * cell.events;

/** The columns of every table of streams. */
export const STREAM_COLUMNS = [
  column("CPU us/chunk", cpuUsPerEvent),
  timesFloor(cpuUsPerEvent),
  column("CPU us/stream", cpuUsPerCall),
  column("chunks/s", eventsPerS),
  column("first chunk p50 ms", firstP50Ms),
  column("first chunk p99 ms", firstP99Ms),
  added("added p50 ms", firstP50Ms),
];

/** As many streams as run side by side, and how long it is between two chunks of one. */
const STREAMS = 64;
const GAP_MS = 4;

/** Measures streams whose chunks come one by one, as models send them, and all at once. */
export async function measureStreams(rig: Rig): Promise<Report> {
  const cells: Cell[] = [];
  let memory = "";
  await withProxies(rig, ["floor", "nginx", "ours", "against"], async (targets) => {
    await rig.warmUp(paced(25, STREAMS, 10), targets);
    cells.push(...(await rig.measure(paced(500, STREAMS, 1), targets)));
    const others = targets.filter(({ name }) => name !== "nginx");
    cells.push(...(await rig.measure(paced(25, STREAMS, 10), others)));
    cells.push(...(await rig.measure(atOnce(rig), others)));
    memory = peakMemoryText(targets);
  });
  await withProxies(rig, ["direct", "floor", "ours", "against"], async (targets) => {
    await rig.warmUp(paced(25, STREAMS, 10), targets);
    cells.push(...(await rig.measure(oneByOne(), targets)));
  });
  const of = (events: number, connections: number) =>
    cells.filter((cell) => cell.events === events && cell.connections === connections);
  return {
    title: "Chat, streamed",
    text: [cellTable(cells, STREAM_COLUMNS), memory],
    findings: [
      {
        name: "CPU of a chunk relayed, against the floor",
        unit: "x",
        values: ratios(of(500, STREAMS), ["ours", "floor"], cpuUsPerEvent),
        atMost: 1.5,
      },
      {
        name: "time added to the first chunk of a stream, p50",
        unit: "ms",
        values: excesses(of(25, 1), ["ours", "direct"], firstP50Ms),
        atMost: 0.25,
      },
    ],
    measured: cells,
  };
}

function paced(events: number, connections: number, perConnection: number): Work {
  const pace: Pace = { kind: "calls", perConnection };
  return stream("one by one", events, GAP_MS, connections, pace);
}

/** One stream at a time, with chunks that come soon: what counts is the first of them. */
function oneByOne(): Work {
  return stream("one by one", 25, 1, 1, { kind: "calls", perConnection: 30 });
}

function atOnce({ options: { seconds } }: Rig): Work {
  return stream("all at once", 500, 0, 32, { kind: "seconds", warmUp: 0.3, seconds });
}

function stream(how: string, events: number, gapMs: number, connections: number, pace: Pace): Work {
  return {
    name: `stream, ${events} chunks, ${how}`,
    path: "/chat/completions",
    body: chatBody(OPENAI_MODEL, 200, true),
    answer: { kind: "stream", wire: "openai", events, gapMs },
    connections,
    pace,
  };
}
