import { join } from "node:path";
import * as v from "valibot";
import { readElf } from "./elf.ts";
import { run } from "./run.ts";
import type { Target } from "./targets.ts";

/** A compiled program. */
export interface Compiled {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The packages that stand in it, sorted by name. */
  readonly packages: readonly string[];
}

/** It is embedded in the program, so it must be the same everywhere. */
const NAME = "inference-proxy";

const SourceMap = v.object({ sources: v.array(v.string()) });

/**
 * Compiles the program for a kind of machine.
 *
 * @param command How it is compiled for this machine, without where to.
 * @throws {RangeError} If what comes out is for another kind of machine.
 */
export async function compile(
  command: readonly string[],
  { target, runtime, folder }: { target: Target; runtime: string; folder: string },
): Promise<Compiled> {
  const path = join(folder, NAME);
  const whereTo = [`--target=${target.compileAs}`, `--compile-executable-path=${runtime}`];
  await run([...command, ...whereTo, "--outfile", path]);
  const bytes = await Bun.file(path).bytes();
  const { machine, interpreter } = readElf(bytes);
  if (machine !== target.machine || interpreter !== target.interpreter)
    throw new RangeError(
      `Cannot release ${target.name}: the program is for machine ${machine} and ${interpreter}`,
    );
  return { path, bytes, packages: packagesOf(await sourcesIn(folder)) };
}

/** Returns the files that the source maps of a folder name: the program has one for each part that is loaded by itself. */
async function sourcesIn(folder: string): Promise<string[]> {
  const maps = await Array.fromAsync(new Bun.Glob("*.map").scan({ cwd: folder, absolute: true }));
  const sources = maps.map(async (map) => v.parse(SourceMap, await Bun.file(map).json()).sources);
  return (await Promise.all(sources)).flat();
}

/** Returns the packages that some files come from, sorted by name. */
export function packagesOf(sources: readonly string[]): string[] {
  const names = sources.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
