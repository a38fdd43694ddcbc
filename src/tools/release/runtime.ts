import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type LockedPackage, verifyPackage } from "./lock.ts";
import { run } from "./run.ts";

/** Where a package of the runtime keeps it. */
const MEMBER = "package/bin/bun";

/**
 * Fetches the runtime of another kind of machine with npm, from where this machine gets its packages, and returns
 * its path.
 *
 * @throws {RangeError} If it is not what package-lock.json pins.
 */
export async function fetchRuntime(locked: LockedPackage, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const what = `${locked.name}@${locked.version}`;
  await run(["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, what]);
  const archive = await Bun.file(join(folder, archiveIn(folder))).bytes();
  verifyPackage(locked, archive);
  const runtime = (await new Bun.Archive(archive).files(MEMBER)).get(MEMBER);
  if (runtime === undefined)
    throw new RangeError(`Cannot unpack package "${locked.name}": it holds no ${MEMBER}`);
  const path = join(folder, "bun");
  await Bun.write(path, runtime);
  chmodSync(path, 0o755);
  return path;
}

function archiveIn(folder: string): string {
  const name = readdirSync(folder).find((one) => one.endsWith(".tgz"));
  if (name !== undefined) return name;
  throw new RangeError(`Cannot find what npm fetched: ${folder} holds no archive`);
}
