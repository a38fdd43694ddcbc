import type { LoadResult } from "./load_plan.ts";
import { markdownTable, spreadText } from "./markdown.ts";
import type { Cell } from "./rig.ts";
import { pairwise, spread } from "./statistics.ts";

/** A figure that was to be reached: the values of all rounds, the most that their median may be. */
export interface Finding {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly atMost: number;
}

/** What one part of the benchmark found. */
export interface Report {
  readonly title: string;
  /** Tables and remarks, in markdown. */
  readonly text: readonly string[];
  readonly findings: readonly Finding[];
  /** Everything that was measured, for programs to read. */
  readonly measured: unknown;
}

/** Something that one run says, as one number. */
export type Metric = (round: LoadResult, cell: Cell) => number;

export const cpuUsPerCall: Metric = (round) => (round.cpuMs * 1000) / round.calls;
export const cpuUsPerEvent: Metric = (round, { events }) => cpuUsPerCall(round, NO_CELL) / events;
export const callsPerS: Metric = (round) => round.calls / round.seconds;
export const totalP50Ms: Metric = (round) => round.totalMs.p50;
export const totalP99Ms: Metric = (round) => round.totalMs.p99;
export const firstP50Ms: Metric = (round) => round.firstMs.p50;
export const firstP99Ms: Metric = (round) => round.firstMs.p99;

const NO_CELL: Cell = { work: "", connections: 0, target: "", events: 1, rounds: [] };

/** Returns a metric of every round. */
export function valuesOf(cell: Cell, metric: Metric): number[] {
  return cell.rounds.map((round) => metric(round, cell));
}

/** Returns a metric of one target as a multiple of another's, round by round. */
export function ratios(cells: readonly Cell[], names: readonly [string, string], metric: Metric) {
  return compare(cells, names, metric, (value, base) => value / base);
}

/** Returns what one target's metric exceeds another's by, round by round. */
export function excesses(cells: readonly Cell[], names: readonly [string, string], metric: Metric) {
  return compare(cells, names, metric, (value, base) => value - base);
}

function compare(
  cells: readonly Cell[],
  [name, baseName]: readonly [string, string],
  metric: Metric,
  combine: (value: number, base: number) => number,
): number[] {
  const cell = cells.find(({ target }) => target === name);
  const base = cells.find(({ target }) => target === baseName);
  if (cell === undefined || base === undefined) return [];
  return pairwise(valuesOf(cell, metric), valuesOf(base, metric), combine);
}

/** One column of a table of cells; `cells` are those of the same work. An empty list shows as a dash. */
export interface Column {
  readonly title: string;
  readonly values: (cell: Cell, cells: readonly Cell[]) => readonly number[];
}

/** A column of one metric. The upstream's own CPU time is nobody's concern. */
export function column(title: string, metric: Metric): Column {
  const isCpu = metric === cpuUsPerCall || metric === cpuUsPerEvent;
  return {
    title,
    values: (cell) => (isCpu && cell.target === "direct" ? [] : valuesOf(cell, metric)),
  };
}

/** A column of a metric as a multiple of the floor's. */
export function timesFloor(metric: Metric): Column {
  return {
    title: "x floor",
    values: ({ target }, cells) =>
      target === "direct" || target === "floor" ? [] : ratios(cells, [target, "floor"], metric),
  };
}

/** A column of what a metric exceeds that of the upstream alone by. */
export function added(title: string, metric: Metric): Column {
  return {
    title,
    values: ({ target }, cells) =>
      target === "direct" ? [] : excesses(cells, [target, "direct"], metric),
  };
}

/** Writes a table with one line per cell: medians, with the least and the most of all rounds. */
export function cellTable(cells: readonly Cell[], columns: readonly Column[]): string {
  const rows = cells.map((cell) => {
    const peers = cells.filter((one) => isSameWork(one, cell));
    const texts = columns.map(({ values }) => {
      const found = values(cell, peers);
      return found.length === 0 ? "-" : spreadText(found);
    });
    return [cell.work, String(cell.connections), cell.target, ...texts];
  });
  return markdownTable(["work", "conns", "proxy", ...columns.map(({ title }) => title)], rows);
}

function isSameWork(a: Cell, b: Cell): boolean {
  return a.work === b.work && a.connections === b.connections;
}

/** Writes the table of what was to be reached. */
export function findingTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ name, unit, values, atMost }) => [
    name,
    `${spreadText(values)} ${unit}`,
    `<= ${atMost} ${unit}`,
    holds({ values, atMost }) ? "yes" : "NO",
  ]);
  return markdownTable(["figure", "measured", "to be reached", "reached"], rows);
}

/** Whether the median is within what was to be reached. */
export function holds({ values, atMost }: Pick<Finding, "values" | "atMost">): boolean {
  return spread(values).median <= atMost;
}
