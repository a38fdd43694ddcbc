import { spread } from "./statistics.ts";

/** Writes a table for people to read as text and for a page to show: columns of equal width. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Writes the median of all rounds, with the least and the most behind it: `45.1 (44.0-47.9)`. */
export function spreadText(values: readonly number[]): string {
  const { min, median, max } = spread(values);
  if (min === max) return number(median);
  return `${number(median)} (${number(min)}-${number(max)})`;
}

/** Writes a number with about three digits that matter. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 0.1 || size === 0 ? 2 : 3);
}
