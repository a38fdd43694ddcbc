/**
 * Breaks what can be broken, and checks that the ledger still tells the truth and everybody is answered:
 *
 *     bun src/tools/torture.ts dist/inference-proxy [--long] [--seed N] [--only PART,PART]
 *
 * Its parts stand below. It needs nothing but loopback, and ends with 1 at the first promise that does not hold.
 */
import { resolve } from "node:path";
import { ensureFetchCapacity } from "../fetch_capacity.ts";
import { FlagError, readFlags } from "../std/flags.ts";
import { burst } from "./torture/burst.ts";
import { disk } from "./torture/disk.ts";
import { faults } from "./torture/faults/faults.ts";
import { fuzz } from "./torture/fuzz/fuzz.ts";
import { hangUps } from "./torture/hang_ups.ts";
import { kill } from "./torture/kill.ts";
import { loginFlood } from "./torture/login_flood.ts";
import type { Part } from "./torture/part.ts";
import { rotation } from "./torture/rotation.ts";
import { simulated } from "./torture/simulate.ts";
import { streams } from "./torture/streams.ts";

const PARTS: Readonly<Record<string, Part>> = {
  simulate: simulated,
  burst,
  disk,
  kill,
  rotation,
  faults,
  fuzz,
  streams,
  hang_ups: hangUps,
  login_flood: loginFlood,
};

/** Nothing here may go on for ever: after so many minutes it has failed. */
const MINUTES_MAX = { quick: 15, long: 120 };

/** Seeds are printed, so they are kept short. */
const SEEDS = 1_000_000;

async function main(argv: readonly string[]): Promise<number> {
  const [binary, ...rest] = argv;
  if (binary === undefined) throw new FlagError("Cannot torture: no binary is named", "name it");
  const flags = readFlags(rest, {
    "--quick": "switch",
    "--long": "switch",
    "--seed": "value",
    "--only": "value",
  });
  const seed = Number(flags.get("--seed")?.[0] ?? Math.floor(Math.random() * SEEDS));
  const names = flags.get("--only")?.[0]?.split(",") ?? Object.keys(PARTS);
  const options = { binary: resolve(binary), long: flags.has("--long"), seed };
  console.log(`seed ${seed}, ${options.long ? "long" : "quick"}`);
  limitTime(options.long ? MINUTES_MAX.long : MINUTES_MAX.quick, seed);
  for (const name of names) {
    const part = PARTS[name];
    if (part === undefined)
      throw new FlagError(`Cannot torture: no part "${name}"`, Object.keys(PARTS).join(", "));
    const startMs = performance.now();
    const seconds = () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
    try {
      const figures = await part(options);
      console.log(`${name}, ${seconds()}: ${figures}`);
    } catch (error) {
      console.error(`${name}, ${seconds()}: FAILED with --seed ${seed} --only ${name}`);
      console.error(error instanceof Error ? (error.stack ?? error.message) : error);
      return 1;
    }
  }
  return 0;
}

function limitTime(minutes: number, seed: number): void {
  setTimeout(() => {
    console.error(`FAILED with --seed ${seed}: not done after ${minutes} minutes`);
    process.exit(1);
  }, minutes * 60_000);
}

// Whoever exits takes the processes and mounts along that were made here.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
ensureFetchCapacity();
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof FlagError)) throw error;
  console.error(`${error.message}; ${error.fix}`);
  process.exit(2);
}
