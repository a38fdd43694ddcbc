import { readFileSync } from "node:fs";

/**
 * Finds the C library that this process runs on, glibc's or musl's, or null if there is none to be found.
 *
 * By its bare name, a library that the system lacks would be looked for in the working directory as well.
 */
export function libcPath(): string | null {
  try {
    return libcOf(readFileSync("/proc/self/maps", "utf8"));
  } catch {
    // Only Linux has that list.
    return null;
  }
}

/** Finds the C library in the system's list of what is mapped, whose lines end in a path. */
export function libcOf(maps: string): string | null {
  const library =
    /\s(\/\S*\/(?:libc\.so\.6|libc-2\.\d+\.so|(?:ld-musl-|libc\.musl-)[^/\s]+\.so\.1))$/m;
  return library.exec(maps)?.[1] ?? null;
}
