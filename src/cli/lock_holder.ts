import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LOCK_FILE } from "../store/data_dir.ts";

/** Returns the id of the process that holds a data directory's lock, or null if the system does not tell. */
export function lockHolder(dataDir: string): number | null {
  try {
    const inode = statSync(join(dataDir, LOCK_FILE)).ino;
    const locks = readFileSync("/proc/locks", "utf8");
    return holderOf(locks, inode);
  } catch {
    // Only Linux has that list, and the answer goes on without it.
    return null;
  }
}

/** Finds the process in the system's list of locks, whose lines end in `<pid> <device>:<inode> <start> <end>`. */
export function holderOf(locks: string, inode: number): number | null {
  for (const line of locks.split("\n")) {
    const [, pid, locked] = /\s(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) \S+ \S+$/.exec(line) ?? [];
    if (pid !== undefined && Number(locked) === inode) return Number(pid);
  }
  return null;
}
