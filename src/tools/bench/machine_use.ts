import { readFileSync } from "node:fs";

/** How much of the machine was used up to now, by everybody and by this program, in ticks of CPU time. */
export interface MachineUse {
  readonly total: number;
  readonly busy: number;
  /** By this process and all that it started and that have ended. */
  readonly own: number;
}

/** Returns how much of the machine has been used up to now. */
export function machineUse(): MachineUse {
  return parseMachineUse(
    readFileSync("/proc/stat", "utf8"),
    readFileSync("/proc/self/stat", "utf8"),
  );
}

/** Returns the part of the machine that others used between two looks, from 0 to 1. */
export function othersShare(before: MachineUse, after: MachineUse): number {
  const others = after.busy - before.busy - (after.own - before.own);
  return Math.max(0, others / (after.total - before.total));
}

/** Reads /proc/stat and /proc/self/stat. @throws {SyntaxError} If they are something else. */
export function parseMachineUse(stat: string, selfStat: string): MachineUse {
  const all = /^cpu +([\d ]+)/.exec(stat)?.[1]?.split(" ").slice(0, 8).map(Number) ?? [];
  const [, , , idle = Number.NaN, waiting = Number.NaN] = all;
  const total = all.reduce((sum, ticks) => sum + ticks, 0);
  const fields = selfStat
    .slice(selfStat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0);
  if (!Number.isInteger(total - idle - waiting + own))
    throw new SyntaxError(`Cannot read use of the machine: "${stat.slice(0, 100)}"`);
  return { total, busy: total - idle - waiting, own };
}
