import { readFileSync } from "node:fs";

/** The unit of CPU time in /proc, on every Linux that Bun runs on. */
const MS_PER_TICK = 10;

/** Returns the CPU time that processes have used, in user and kernel mode, all threads, in milliseconds. */
export function cpuMs(pids: readonly number[]): number {
  return sum(pids.map((pid) => parseCpuMs(readFileSync(`/proc/${pid}/stat`, "utf8"))));
}

/** Returns the most memory that processes have held at a time, in bytes. */
export function peakRssBytes(pids: readonly number[]): number {
  return sum(
    pids.map((pid) => parseStatusBytes(readFileSync(`/proc/${pid}/status`, "utf8"), "VmHWM")),
  );
}

/** Reads user and kernel time out of /proc/PID/stat. @throws {SyntaxError} If it is something else. */
export function parseCpuMs(stat: string): number {
  // The second field is the program's name in brackets, which may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isInteger(ticks)) throw new SyntaxError(`Cannot read CPU time: "${stat}"`);
  return ticks * MS_PER_TICK;
}

/** Reads one size, such as VmHWM, out of /proc/PID/status. @throws {SyntaxError} If it is not there. */
export function parseStatusBytes(status: string, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kilobytes === undefined) throw new SyntaxError(`Cannot read ${name}: it is not there`);
  return Number(kilobytes) * 1024;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
