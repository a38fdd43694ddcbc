import type { CommandLine } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG, switchFlag, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { listOf, type ManagementClient } from "./management_client.ts";
import { dollars } from "./money.ts";
import { inferencePath, ORG_FLAG } from "./organization_choice.ts";
import { print, shown } from "./print.ts";
import { type Column, table } from "./table.ts";

const COUNTS = [
  ["CALLS", "calls"],
  ["INPUT", "input_tokens"],
  ["CACHED", "cache_read_tokens"],
  ["OUTPUT", "output_tokens"],
  ["TOTAL", "total_tokens"],
] as const;

/** Members of a row that a spreadsheet is given, in its order. */
const CSV_MEMBERS = ["group_key", "provider", ...COUNTS.map(([, member]) => member)];

/** Reports what an organization used and what it cost. */
export const usage: Command = {
  name: "usage",
  group: "Money",
  summary: "Show what an organization used and what it cost",
  arguments: [],
  flags: [
    ...LOCAL_FLAGS,
    ORG_FLAG,
    valueFlag("--by", "model|key|provider|hour|day", "What to add up", "model"),
    valueFlag("--from", "TIME", "From when, such as 2026-06-01T00:00:00Z", "start of the month"),
    valueFlag("--to", "TIME", "Until when, not included", "now"),
    switchFlag("--csv", "Print comma-separated values"),
    JSON_FLAG,
  ],
  examples: [
    "usage",
    "usage --by key --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z",
    "usage --org acme --csv > usage.csv",
  ],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const path = await inferencePath(client, line);
      const report = await client.call("GET", `${path}/usage?${queryOf(line)}`);
      const rows = listOf(report, "rows");
      const isCsv = line.flags.has("--csv");
      const names = report.group_by === "key" && !isCsv ? await keyNames(client, path) : NO_NAMES;
      if (isCsv) console.log(csv(rows));
      else print(line, report, () => text(report, rows, names));
      return EXIT.ok;
    }),
};

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Returns what people call the keys of an organization, by id: several may have the same name. */
async function keyNames(
  client: ManagementClient,
  path: string,
): Promise<ReadonlyMap<string, string>> {
  const keys = listOf(await client.call("GET", `${path}/keys`), "keys");
  return new Map(
    keys.map((key) => [shown(key.id), `${shown(key.name)} (${shown(key.key_prefix)}...)`]),
  );
}

function queryOf({ flags }: CommandLine): string {
  const query = new URLSearchParams();
  for (const [flag, name] of [
    ["--by", "group_by"],
    ["--from", "from"],
    ["--to", "to"],
  ] as const) {
    const value = flags.get(flag)?.at(-1);
    if (value !== undefined) query.set(name, value);
  }
  return query.toString();
}

/** Groups in which each provider has a row of its own. */
const BY_PROVIDER = ["key", "hour", "day"];

function text(
  report: JsonObject,
  rows: readonly JsonObject[],
  names: ReadonlyMap<string, string>,
): string {
  const group = shown(report.group_by);
  const keyOf = (row: JsonObject) => shown(row.group_key);
  const columns: Column<JsonObject>[] = [
    { title: group.toUpperCase(), cell: (row) => names.get(keyOf(row)) ?? keyOf(row) },
    ...(BY_PROVIDER.includes(group)
      ? [{ title: "PROVIDER", cell: (row: JsonObject) => shown(row.provider ?? "") }]
      : []),
    ...COUNTS.map(([title, member]): Column<JsonObject> => {
      return { title, cell: (row) => shown(row[member]), right: true };
    }),
    { title: "COST", cell: (row) => dollars(Number(row.cost_microcents)), right: true },
  ];
  const lines = rows.length > 1 ? [...rows, totalOf(rows)] : rows;
  return `${shown(report.from)} to ${shown(report.to)}\n\n${table(columns, lines, "Nothing was used.")}`;
}

function totalOf(rows: readonly JsonObject[]): JsonObject {
  const sum = (member: string) => rows.reduce((total, row) => total + Number(row[member]), 0);
  const members = [...COUNTS.map(([, member]) => member), "cost_microcents"];
  return { group_key: "total", ...Object.fromEntries(members.map((one) => [one, sum(one)])) };
}

function csv(rows: readonly JsonObject[]): string {
  const members = [...CSV_MEMBERS, "cost_microcents"];
  const lines = rows.map((row) => members.map((member) => csvCell(shown(row[member]))).join(","));
  return [members.join(","), ...lines].join("\n");
}

/** A cell that begins like a formula would be run as one. */
function csvCell(value: string): string {
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
