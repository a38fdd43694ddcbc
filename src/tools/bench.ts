/**
 * Measures the proxy beside a bare relay, and writes tables and `dist/bench.json`:
 *
 *     bun src/tools/bench.ts dist/inference-proxy [--only chat,streams] [--long] [--against BINARY] [--portkey]
 *
 * Every figure is taken in rounds; each round has a run of every proxy, one after the other. Figures of one
 * machine say little, their relation to the floor's in the same round says much.
 */
import { mkdirSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { FlagError } from "../std/flags.ts";
import { machineUse, othersShare } from "./bench/machine_use.ts";
import { type Options, type Part, readOptions, USAGE } from "./bench/options.ts";
import { measureAnthropic } from "./bench/parts/anthropic.ts";
import { measureChat } from "./bench/parts/chat.ts";
import { measureEmbeddings } from "./bench/parts/embeddings.ts";
import { measureGenerator } from "./bench/parts/generator.ts";
import { measureGrowth } from "./bench/parts/growth.ts";
import { measureLedger } from "./bench/parts/ledger.ts";
import { measureManyStreams } from "./bench/parts/many_streams.ts";
import { measureStart } from "./bench/parts/start.ts";
import { measureStreams } from "./bench/parts/streams.ts";
import { findingTable, holds, type Report } from "./bench/report.ts";
import { Rig } from "./bench/rig.ts";

/** Where databases of this run live, on the disk that the proxy would use. */
const FOLDER = resolve(`dist/bench-data/run-${process.pid}`);
const JSON_FILE = "dist/bench.json";

const MEASURES: Readonly<Record<Part, (rig: Rig) => Promise<Report>>> = {
  generator: measureGenerator,
  chat: measureChat,
  streams: measureStreams,
  anthropic: measureAnthropic,
  embeddings: measureEmbeddings,
  "many-streams": measureManyStreams,
  start: measureStart,
  growth: measureGrowth,
  ledger: measureLedger,
};

async function main(options: Options): Promise<number> {
  const started = performance.now();
  const machine = describeMachine();
  console.log(`# Benchmark\n\n${Object.values(machine).join(", ")}\n`);
  const reports: Partial<Record<Part, Report | { readonly failure: string }>> = {};
  for (const part of options.parts) reports[part] = await measure(part, options);
  const done = Object.values(reports).filter((report) => "findings" in report);
  const findings = done.flatMap((report) => report.findings);
  const seconds = Math.round((performance.now() - started) / 1000);
  if (findings.length > 0) console.log(`## What was to be reached\n\n${findingTable(findings)}\n`);
  await Bun.write(JSON_FILE, JSON.stringify({ machine, options, seconds, reports }, null, 1));
  console.log(`${seconds} s; every figure of every round is in ${JSON_FILE}`);
  if (done.length < options.parts.length) return 1;
  return findings.every(holds) ? 0 : 2;
}

/** Measures one part with processes of its own. A part that fails does not stop the others. */
async function measure(part: Part, options: Options) {
  rmSync(FOLDER, { recursive: true, force: true });
  const folder = join(FOLDER, part);
  mkdirSync(folder, { recursive: true });
  const startedMs = performance.now();
  const before = machineUse();
  const report = await inRig(MEASURES[part], options, folder);
  rmSync(FOLDER, { recursive: true, force: true });
  if ("failure" in report) {
    console.log(`## ${part}: VOID\n\n${report.failure}\n`);
    return report;
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const others = Math.round(othersShare(before, machineUse()) * 100);
  const circumstances = `(${part}: ${seconds} s; other programs used ${others} % of the machine)`;
  console.log(`## ${report.title}\n\n${[...report.text, circumstances].join("\n\n")}\n`);
  return { ...report, seconds, others_percent: others };
}

async function inRig(measureIt: (rig: Rig) => Promise<Report>, options: Options, folder: string) {
  const rig = await Rig.open(options, folder);
  try {
    return await measureIt(rig);
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await rig.close();
  }
}

function describeMachine() {
  const [cpu] = cpus();
  return {
    cpu: `${cpus().length} x ${cpu?.model ?? "unknown CPU"}`,
    system: `${process.platform} ${process.arch}`,
    bun: `Bun ${Bun.version}`,
    date: new Date().toISOString(),
  };
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof FlagError)) throw error;
  console.error(`${error.message}; ${error.fix}\n${USAGE}`);
  process.exitCode = 64;
}
