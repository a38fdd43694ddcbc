/**
 * Builds a release for every kind of machine into dist/release:
 *
 *     bun src/tools/make_release.ts bun build --compile ... src/main.ts
 *
 * What follows the name of this file is the command that compiles the program for this machine. The same commit
 * gives the same bytes: every file is dated by SOURCE_DATE_EPOCH or, without it, by the commit.
 */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { type ArchiveFile, makeArchive } from "./release/archive.ts";
import { type Compiled, compile } from "./release/compile.ts";
import { readElf } from "./release/elf.ts";
import { lockedPackage, readLock } from "./release/lock.ts";
import { run } from "./release/run.ts";
import { fetchRuntime } from "./release/runtime.ts";
import { makeSbom, PRICES } from "./release/sbom.ts";
import { writeSums } from "./release/sums.ts";
import { type Target, TARGETS } from "./release/targets.ts";
import { releaseTexts } from "./release/texts.ts";

const ROOT = resolve(import.meta.dir, "../..");
const OUT = join(ROOT, "dist/release");
const WORK = join(OUT, "work");
const { version } = packageJson;
const packages = Object.keys(packageJson.dependencies).sort();

async function makeRelease(command: readonly string[]): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  const lock = readLock(await Bun.file(join(ROOT, "package-lock.json")).text());
  const dateS = await releaseDateS();
  const about = { root: ROOT, version, dateS, packages: [...packages, PRICES] };
  const texts = await releaseTexts(about);
  for (const target of TARGETS) {
    const folder = join(WORK, target.name);
    const runtime = await fetchRuntime(
      lockedPackage(lock, target.runtime),
      join(folder, "runtime"),
    );
    const compiled = await compile(command, { target, runtime, folder });
    mustHold(compiled);
    await mustRun(target, compiled);
    await writeArchive(target, [...texts, programOf(compiled)], dateS);
    rmSync(folder, { recursive: true });
  }
  const runtimeVersions = process.versions;
  const sbom = makeSbom({ version, packages, lock, runtimeVersions, dateS });
  await Bun.write(join(OUT, `inference-proxy-${version}.cdx.json`), sbom);
  copyFileSync(join(ROOT, "src/ops/install.sh"), join(OUT, "install.sh"));
  rmSync(WORK, { recursive: true });
  await writeSums(OUT);
}

/** Returns when the release is from, in whole seconds since the Unix epoch. */
async function releaseDateS(): Promise<number> {
  const given = process.env["SOURCE_DATE_EPOCH"];
  const text = given ?? (await run(["git", "-C", ROOT, "log", "-1", "--format=%ct"])).trim();
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new RangeError(`Cannot date the release: "${text}" is no number of seconds`);
}

/** @throws {RangeError} If the program holds packages other than those that are declared, and so described. */
function mustHold(compiled: Compiled): void {
  if (compiled.packages.join() === packages.join()) return;
  throw new RangeError(
    `Cannot describe the release: it holds ${compiled.packages.join(", ")}, and package.json ${packages.join(", ")}`,
  );
}

/** Starts the program if this machine can. @throws If it does not say its version. */
async function mustRun(target: Target, { path }: Compiled): Promise<void> {
  const own = readElf(await Bun.file(process.execPath).bytes());
  if (own.machine !== target.machine || own.interpreter !== target.interpreter) return;
  const facts = await run([path, "version", "--json"]);
  if (facts.includes(`"version":"${version}"`)) return;
  throw new RangeError(`Cannot release ${target.name}: the program says ${facts.trim()}`);
}

function programOf({ bytes }: Compiled): ArchiveFile {
  return { name: "inference-proxy", content: bytes, isExecutable: true };
}

async function writeArchive(target: Target, files: readonly ArchiveFile[], dateS: number) {
  const folder = `inference-proxy-${version}-${target.name}`;
  const archive = await makeArchive(folder, files, dateS);
  await Bun.write(join(OUT, `${folder}.tar.gz`), archive);
  console.log(`${(archive.length / 1e6).toFixed(1)} MB  ${folder}.tar.gz`);
}

const startedMs = performance.now();
const changed = await run(["git", "-C", ROOT, "status", "--porcelain"]).catch(() => "");
if (changed !== "")
  console.log("note: this is not what is committed, so nobody can build it again");
await makeRelease(process.argv.slice(2));
console.log(`${OUT}  (${((performance.now() - startedMs) / 1000).toFixed(0)} s)`);
