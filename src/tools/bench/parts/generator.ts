import { join } from "node:path";
import { markdownTable, spreadText } from "../markdown.ts";
import { withProxies } from "../proxies.ts";
import type { Report } from "../report.ts";
import type { Rig } from "../rig.ts";
import type { Target } from "../target.ts";
import { chatBody, OPENAI_MODEL, type Work } from "../works.ts";
import { parseWrk, type WrkResult, wrkScript } from "../wrk.ts";

/** Holds the load generator against wrk, where there is one: the same request, the same targets. */
export async function measureGenerator(rig: Rig): Promise<Report> {
  const wrk = Bun.which("wrk");
  const title = "The load generator against wrk";
  if (wrk === null) {
    return { title, text: ["wrk is not on this machine."], findings: [], measured: null };
  }
  return await withProxies(rig, ["direct", "floor"], async (targets) => {
    const work = workOf(rig);
    await rig.warmUp(work, targets);
    const rows: string[][] = [];
    for (const target of targets) {
      const both = await compare(wrk, rig, work, target);
      for (const [generator, results] of Object.entries(both)) {
        const rates = spreadText(results.map(({ callsPerS }) => callsPerS));
        rows.push([target.name, generator, rates, spreadText(results.map(({ p50Ms }) => p50Ms))]);
      }
    }
    const head = ["target", "generator", "calls/s", "p50 ms"];
    return { title, text: [markdownTable(head, rows)], findings: [], measured: rows };
  });
}

async function compare(wrk: string, rig: Rig, work: Work, target: Target) {
  const both: Record<"own" | "wrk", WrkResult[]> = { own: [], wrk: [] };
  for (let round = 0; round < rig.options.rounds; round += 1) {
    const { calls, seconds, totalMs } = await rig.once(work, target);
    both.own.push({ callsPerS: calls / seconds, p50Ms: totalMs.p50 });
    both.wrk.push(await runWrk(wrk, rig, work, target));
  }
  return both;
}

function workOf({ options: { seconds } }: Rig): Work {
  return {
    name: "chat, 0.2 KB prompt",
    path: "/chat/completions",
    body: chatBody(OPENAI_MODEL, 200, false),
    answer: { kind: "chat", wire: "openai" },
    connections: 32,
    pace: { kind: "seconds", warmUp: 0.2, seconds },
  };
}

async function runWrk(wrk: string, rig: Rig, work: Work, target: Target): Promise<WrkResult> {
  const script = join(rig.folder, "request.lua");
  const [key = ""] = (await Bun.file(target.keysFile).text()).split("\n");
  await Bun.write(script, wrkScript(key, work.body));
  const duration = `${Math.ceil(rig.options.seconds)}s`;
  const url = `http://127.0.0.1:${target.port}${target.basePath}${work.path}`;
  const argv = ["-t1", `-c${work.connections}`, `-d${duration}`, "--latency", "-s", script, url];
  const child = Bun.spawn([wrk, ...argv], { stdio: ["ignore", "pipe", "inherit"] });
  return parseWrk(await new Response(child.stdout).text());
}
