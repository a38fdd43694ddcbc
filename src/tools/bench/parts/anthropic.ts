import { withProxies } from "../proxies.ts";
import {
  callsPerS,
  cellTable,
  column,
  cpuUsPerCall,
  type Report,
  timesFloor,
  totalP50Ms,
  totalP99Ms,
} from "../report.ts";
import type { Rig } from "../rig.ts";
import { ANTHROPIC_MODEL, chatBody, type Work } from "../works.ts";
import { STREAM_COLUMNS } from "./streams.ts";

const COLUMNS = [
  column("CPU us/call", cpuUsPerCall),
  timesFloor(cpuUsPerCall),
  column("calls/s", callsPerS),
  column("p50 ms", totalP50Ms),
  column("p99 ms", totalP99Ms),
];

/** Measures calls whose wire is changed on the way. The floor relays the same bytes as they are. */
export async function measureAnthropic(rig: Rig): Promise<Report> {
  return await withProxies(rig, ["floor", "ours", "against"], async (targets) => {
    const whole = wholeWork(rig);
    await rig.warmUp(whole, targets);
    const wholes = await rig.measure(whole, targets);
    await rig.warmUp(streamWork(25, 20), targets);
    const streams = await rig.measure(streamWork(500, 1), targets);
    return {
      title: "Chat, translated for Anthropic",
      text: [cellTable(wholes, COLUMNS), cellTable(streams, STREAM_COLUMNS)],
      findings: [],
      measured: [...wholes, ...streams],
    };
  });
}

function wholeWork({ options: { seconds } }: Rig): Work {
  return {
    name: "chat, 0.2 KB prompt",
    path: "/chat/completions",
    body: chatBody(ANTHROPIC_MODEL, 200, false),
    answer: { kind: "chat", wire: "anthropic" },
    connections: 32,
    pace: { kind: "seconds", warmUp: 0.5, seconds },
  };
}

function streamWork(events: number, perConnection: number): Work {
  return {
    name: `stream, ${events} events, one by one`,
    path: "/chat/completions",
    body: chatBody(ANTHROPIC_MODEL, 200, true),
    answer: { kind: "stream", wire: "anthropic", events, gapMs: 4 },
    connections: 64,
    pace: { kind: "calls", perConnection },
  };
}
