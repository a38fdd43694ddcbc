/** One column of a table, and what it shows of a row. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand flush right. */
  readonly right?: true;
}

/** Writes rows as a table for people; of nothing it says so. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  none: string,
): string {
  if (rows.length === 0) return none;
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  return [columns.map((column) => column.title), ...cells]
    .map((line) => {
      const padded = line.map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.right ? cell.padStart(width) : cell.padEnd(width);
      });
      return padded.join("  ").trimEnd();
    })
    .join("\n");
}

/** Writes facts one per line, their names in one column. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length)) + 2;
  return pairs.map(([name, value]) => `${name.padEnd(width)}${value}`.trimEnd()).join("\n");
}
