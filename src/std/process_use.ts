import { readdirSync } from "node:fs";

/** What a process uses of its machine. */
export interface ProcessUse {
  readonly residentBytes: number;
  /** Of all its threads, in user and system mode, since it began. */
  readonly cpuSeconds: number;
  /** When it began, in seconds since the Unix epoch. */
  readonly startTimeSeconds: number;
  /** Null where the system does not tell. */
  readonly openFds: number | null;
}

/** Measures what this process uses now. */
export function processUse(nowWallMs: number): ProcessUse {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startTimeSeconds: nowWallMs / 1000 - process.uptime(),
    openFds: openFds(),
  };
}

function openFds(): number | null {
  try {
    // Listing them opens one more.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return null;
  }
}
