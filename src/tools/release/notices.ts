import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the runtime says about its own licence and those of what is linked into it. */
const RUNTIME_LICENSE = "bun-types/docs/project/license.mdx";

/**
 * Returns the licences of what others wrote and a release holds, as they ask for: of packages, and of the runtime.
 *
 * @param modules The folder that npm installed into.
 * @throws {RangeError} If a package has no licence in it.
 */
export function makeNotices(modules: string, packages: readonly string[]): string {
  const parts = packages.map((name) => part(name, licenseOf(join(modules, name))));
  const runtime = readFileSync(join(modules, RUNTIME_LICENSE), "utf8");
  return `${[...parts, part("bun", runtime)].join("\n\n")}\n`;
}

function part(name: string, text: string): string {
  return `${name}\n${"=".repeat(name.length)}\n\n${text.trim()}`;
}

function licenseOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.\w+)?$/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), "utf8");
  throw new RangeError(`Cannot find the licence of a package: ${folder} holds none`);
}
