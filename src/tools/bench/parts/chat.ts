import { peakMemoryText, type ProxyName, withProxies } from "../proxies.ts";
import {
  added,
  callsPerS,
  cellTable,
  column,
  cpuUsPerCall,
  excesses,
  ratios,
  type Report,
  timesFloor,
  totalP50Ms,
  totalP99Ms,
} from "../report.ts";
import type { Cell, Rig } from "../rig.ts";
import type { Target } from "../target.ts";
import { chatBody, OPENAI_MODEL, type Work } from "../works.ts";

const COLUMNS = [
  column("CPU us/call", cpuUsPerCall),
  timesFloor(cpuUsPerCall),
  column("calls/s", callsPerS),
  column("p50 ms", totalP50Ms),
  column("p99 ms", totalP99Ms),
  added("added p50 ms", totalP50Ms),
  added("added p99 ms", totalP99Ms),
];

const PROXIES: readonly ProxyName[] = [
  "direct",
  "floor",
  "nginx",
  "ours",
  "ours-normal",
  "against",
  "portkey",
];

/** Measures chat calls that are answered whole, short and long, on few and many connections. */
export async function measureChat(rig: Rig): Promise<Report> {
  return await withProxies(rig, PROXIES, async (targets) => {
    const cells: Cell[] = [];
    const some = (...names: ProxyName[]) =>
      targets.filter(({ name }) => names.some((one) => one === name));
    await rig.warmUp(work(rig, 200, 32), targets);
    cells.push(...(await rig.measure(work(rig, 200, 1), targets)));
    cells.push(...(await rig.measure(work(rig, 200, 32), targets)));
    const fewer = some("direct", "floor", "ours", "against", "portkey");
    cells.push(...(await rig.measure(work(rig, 200, 256), fewer)));
    const long = some("direct", "floor", "ours", "against");
    await rig.warmUp(work(rig, 20_000, 32), long);
    cells.push(...(await rig.measure(work(rig, 20_000, 32), long)));
    return report(cells, targets);
  });
}

function work(rig: Rig, chars: number, connections: number): Work {
  return {
    name: `chat, ${chars / 1000} KB prompt`,
    path: "/chat/completions",
    body: chatBody(OPENAI_MODEL, chars, false),
    answer: { kind: "chat", wire: "openai" },
    connections,
    pace: { kind: "seconds", warmUp: 0.2, seconds: rig.options.seconds },
  };
}

function report(cells: readonly Cell[], targets: readonly Target[]): Report {
  const short = (connections: number) =>
    cells.filter((cell) => cell.work.includes(" 0.2 KB") && cell.connections === connections);
  const hasNginx = targets.some(({ name }) => name === "nginx");
  return {
    title: "Chat, answered whole",
    text: [
      cellTable(cells, COLUMNS),
      peakMemoryText(targets),
      ...(hasNginx ? [] : ["nginx is not on this machine, so it is left out."]),
    ],
    findings: [
      {
        name: "CPU of a call that is answered whole, against the floor",
        unit: "x",
        values: ratios(short(32), ["ours", "floor"], cpuUsPerCall),
        atMost: 2,
      },
      {
        name: "latency added to one connection, p50",
        unit: "ms",
        values: excesses(short(1), ["ours", "direct"], totalP50Ms),
        atMost: 0.25,
      },
      {
        name: "latency added to one connection, p99",
        unit: "ms",
        values: excesses(short(1), ["ours", "direct"], totalP99Ms),
        atMost: 2,
      },
    ],
    measured: cells,
  };
}
