import { join } from "node:path";
import { type BinaryOptions, spawnBinary } from "../binary.ts";
import { markdownTable, spreadText } from "../markdown.ts";
import { startOurs } from "../ours.ts";
import type { Report } from "../report.ts";
import type { Rig } from "../rig.ts";
import { freePort } from "../target.ts";
import { chatBody, OPENAI_MODEL, type Work } from "../works.ts";

const STARTS = 10;

/** Measures how long it takes from the start of the process until it says that it takes calls. */
export async function measureStart(rig: Rig): Promise<Report> {
  const options = {
    binary: rig.options.binary,
    upstreamPort: rig.upstreamPort,
    synchronous: "full",
  } as const;
  const first: number[] = [];
  for (let round = 0; round < rig.options.rounds; round += 1)
    first.push(await msUntilReady({ ...options, dataDir: join(rig.folder, `first-${round}`) }));
  const dataDir = join(rig.folder, "again");
  const again = await startsAgain({ ...options, dataDir });
  const calls = await callForAWhile(rig, { ...options, dataDir });
  const busy = await msUntilReady({ ...options, dataDir });
  return {
    title: "From start to ready",
    text: [
      markdownTable(
        ["start", "ms"],
        [
          ["the first one, on an empty folder", spreadText(first)],
          ["on a configured database", spreadText(again)],
          [`again right after ${calls} calls`, spreadText([busy])],
        ],
      ),
    ],
    findings: [{ name: `start to ready, of ${STARTS}`, unit: "ms", values: again, atMost: 50 }],
    measured: { first, again, busy: { calls, ms: busy } },
  };
}

async function startsAgain(options: BinaryOptions): Promise<number[]> {
  const target = await startOurs({ ...options, name: "ours" });
  await target.stop();
  const times: number[] = [];
  for (let start = 0; start < STARTS; start += 1) times.push(await msUntilReady(options));
  return times;
}

/** Makes calls for some seconds, and returns how many. */
async function callForAWhile(rig: Rig, options: BinaryOptions): Promise<number> {
  const work: Work = {
    name: "",
    path: "/chat/completions",
    body: chatBody(OPENAI_MODEL, 200, false),
    answer: { kind: "chat", wire: "openai" },
    connections: 32,
    pace: { kind: "seconds", warmUp: 0, seconds: 3 },
  };
  const target = await startOurs({ ...options, name: "ours" });
  const { calls } = await rig.once(work, target);
  await target.stop();
  return calls;
}

/** Starts the binary, asks until it is ready, stops it, and returns how long the first took. */
export async function msUntilReady(options: BinaryOptions): Promise<number> {
  const port = await freePort();
  const startedMs = performance.now();
  const child = spawnBinary({ ...options, port });
  const said = new Response(child.stderr).text();
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`Cannot start the binary: ${await said}`);
    await Bun.sleep(0.5);
  }
  const readyMs = performance.now();
  child.kill();
  await child.exited;
  return readyMs - startedMs;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
