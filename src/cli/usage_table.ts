import type { Json, JsonObject } from "../std/json.ts";
import { dollars } from "./money.ts";

const NAME_CHARS = 30;
const CELL_CHARS = 11;

/** Writes the rows of a usage report as a table, costs in dollars. */
export function usageTable(rows: readonly JsonObject[]): string {
  const head = ["Usage this month", "calls", "input", "output", "cost"];
  return [head, ...rows.map(cellsOf)]
    .map(([name = "", ...cells]) => {
      return `  ${name.padEnd(NAME_CHARS)}${cells.map((cell) => cell.padStart(CELL_CHARS)).join("")}`;
    })
    .join("\n");
}

function cellsOf(row: JsonObject): string[] {
  const counts = [row.calls, row.input_tokens, row.output_tokens].map(shown);
  return [shown(row.group_key), ...counts, dollars(Number(row.cost_microcents))];
}

function shown(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
