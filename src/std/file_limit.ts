import { readFileSync } from "node:fs";

/** How many files and connections the system lets this process have open at once. */
export interface FileLimit {
  /** What counts. The process may raise it as far as `hard`; infinite if there is no limit. */
  readonly soft: number;
  readonly hard: number;
}

/** Returns the limit of this process, or null where the system does not tell. */
export function fileLimit(): FileLimit | null {
  try {
    return fileLimitOf(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    // Only Linux has that list.
    return null;
  }
}

/** Finds the limit in the system's list, whose lines hold a name, the soft and the hard limit. */
export function fileLimitOf(limits: string): FileLimit | null {
  const [, soft, hard] = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(limits) ?? [];
  if (soft === undefined || hard === undefined) return null;
  return { soft: numberOf(soft), hard: numberOf(hard) };
}

function numberOf(text: string): number {
  return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}
