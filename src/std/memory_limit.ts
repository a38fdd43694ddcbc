import { dirname, join } from "node:path";

/** Returns the text of a file, or null if there is none. */
type ReadFile = (path: string) => string | null;

const GROUPS = "/sys/fs/cgroup";

/**
 * Returns how much memory the system lets this process use, in bytes: the least of what is set for its control
 * group and for those that hold it. Null if nothing is set.
 */
export function memoryMaxBytes(readFile: ReadFile): number | null {
  const group = /^0::(\/.*)$/m.exec(readFile("/proc/self/cgroup") ?? "")?.[1];
  if (group === undefined) return null;
  let least = Number.POSITIVE_INFINITY;
  for (let path = group; ; path = dirname(path)) {
    const text = readFile(join(GROUPS, path, "memory.max"))?.trim() ?? "";
    if (/^\d+$/.test(text)) least = Math.min(least, Number(text));
    if (path === "/") break;
  }
  return Number.isFinite(least) ? least : null;
}
