import { join } from "node:path";
import { databaseWithCalls, databaseWithKeys, type Grown } from "../growth_database.ts";
import { number, spreadText } from "../markdown.ts";
import { type OursOptions, startOurs } from "../ours.ts";
import {
  callsPerS,
  cellTable,
  type Column,
  column,
  cpuUsPerCall,
  ratios,
  type Report,
  totalP50Ms,
  totalP99Ms,
} from "../report.ts";
import type { Cell, Rig } from "../rig.ts";
import type { Target } from "../target.ts";
import { chatBody, OPENAI_MODEL, type Work } from "../works.ts";
import { msUntilReady } from "./start.ts";

const MANY_KEYS = 100_000;
const FEW_KEYS = 10;
const CONNECTIONS = 32;

/** How long first calls are made at most, in seconds. */
const FIRST_CALLS_S_MAX = 8;

const BASE = "10 keys, no calls";
const FEW_OF_MANY = `${MANY_KEYS} keys, ${FEW_KEYS} call`;
const MANY = `${MANY_KEYS} keys, all call`;

/** Measures whether a call costs more when there are many keys, or many recorded calls. */
export async function measureGrowth(rig: Rig): Promise<Report> {
  const { rows } = rig.options;
  const recorded = `${rows} recorded calls`;
  const withKeys = await databaseWithKeys(rig, MANY_KEYS);
  const withCalls = await databaseWithCalls(rig, rows);
  const options = oursOptions(rig);
  const startMs = await startTimes(rig, withCalls);
  const base = await startOurs({ ...options, name: BASE, dataDir: join(rig.folder, "base") });
  const many = await startOurs({ ...options, ...withKeys, name: MANY });
  const calls = await startOurs({ ...options, ...withCalls, name: recorded });
  try {
    const targets = [
      { ...base, keysFile: await fewKeys(rig, base.keysFile) },
      { ...many, name: FEW_OF_MANY, keysFile: await fewKeys(rig, many.keysFile) },
      many,
      calls,
    ];
    await rig.warmUp(work(rig), targets);
    const first = await firstCalls(rig, many);
    const cells = await rig.measure(work(rig), targets);
    return report(cells, recorded, startMs, first);
  } finally {
    await Promise.all([base, many, calls].map((target) => target.stop()));
  }
}

function oursOptions(rig: Rig): Omit<OursOptions, "name" | "dataDir"> {
  return {
    binary: rig.options.binary,
    upstreamPort: rig.upstreamPort,
    synchronous: "full",
  };
}

async function startTimes(rig: Rig, { dataDir }: Grown): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rig.options.rounds; round += 1)
    times.push(await msUntilReady({ ...oursOptions(rig), dataDir }));
  return times;
}

/** Writes the first few keys of a file to another. */
async function fewKeys(rig: Rig, keysFile: string): Promise<string> {
  const keys = (await Bun.file(keysFile).text()).split("\n").slice(0, FEW_KEYS);
  const few = join(rig.folder, `few-${Bun.hash(keysFile)}.txt`);
  await Bun.write(few, keys.join("\n"));
  return few;
}

/** Makes a call with each key in turn, and returns the CPU time of one in microseconds. */
async function firstCalls(rig: Rig, target: Target): Promise<number> {
  const perConnection = Math.ceil(MANY_KEYS / CONNECTIONS);
  const { calls, cpuMs } = await rig.once(
    { ...work(rig), pace: { kind: "calls", perConnection, secondsMax: FIRST_CALLS_S_MAX } },
    target,
  );
  return (cpuMs * 1000) / calls;
}

function work({ options: { seconds } }: Rig): Work {
  return {
    name: "chat, 0.2 KB prompt",
    path: "/chat/completions",
    body: chatBody(OPENAI_MODEL, 200, false),
    answer: { kind: "chat", wire: "openai" },
    connections: CONNECTIONS,
    pace: { kind: "seconds", warmUp: 0.5, seconds },
  };
}

const TIMES_BASE: Column = {
  title: `x "${BASE}"`,
  values: ({ target }, cells) =>
    target === BASE ? [] : ratios(cells, [target, BASE], cpuUsPerCall),
};

function report(
  cells: readonly Cell[],
  recorded: string,
  startMs: readonly number[],
  firstUs: number,
): Report {
  const columns = [
    column("CPU us/call", cpuUsPerCall),
    TIMES_BASE,
    column("calls/s", callsPerS),
    column("p50 ms", totalP50Ms),
    column("p99 ms", totalP99Ms),
  ];
  return {
    title: "Growth",
    text: [
      cellTable(cells, columns),
      `The first call of a key took ${number(firstUs)} us of CPU.`,
      `From start to ready with ${recorded}: ${spreadText(startMs)} ms.`,
    ],
    findings: [FEW_OF_MANY, MANY, recorded].map((name) => ({
      name: `CPU of a call with ${name}, against ${BASE}`,
      unit: "x",
      values: ratios(cells, [name, BASE], cpuUsPerCall),
      atMost: 1.2,
    })),
    measured: { cells, startMs, firstUs },
  };
}
