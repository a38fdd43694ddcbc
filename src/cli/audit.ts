import type { CommandLine } from "../std/flags.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG, switchFlag, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { listOf, type ManagementClient, textOf } from "./management_client.ts";
import { inferencePath, ORG_FLAG } from "./organization_choice.ts";
import { print, shown } from "./print.ts";
import { type Column, table } from "./table.ts";

const ALL_FLAG = switchFlag(
  "--all",
  "Show every organization's changes, and those that belong to none",
);

/** What narrows the search, and the parameter that says so. */
const NARROWING = [
  ["--limit", "limit"],
  ["--before", "before"],
  ["--action", "action"],
  ["--actor", "actor"],
  ["--from", "from"],
  ["--to", "to"],
] as const;

const COLUMNS: readonly Column<JsonObject>[] = [
  { title: "WHEN", cell: (row) => shown(row.happened_at) },
  { title: "WHO", cell: (row) => shown(row.actor) },
  { title: "FROM", cell: (row) => shown(row.address) },
  { title: "ACTION", cell: (row) => shown(row.action) },
  { title: "TARGET", cell: (row) => shown(row.target) },
  { title: "DETAIL", cell: (row) => detailOf(row.detail) },
];

/** Shows who changed what. */
export const audit: Command = {
  name: "audit",
  group: "Care",
  summary: "Show who changed what, the newest first",
  arguments: [],
  flags: [
    ...LOCAL_FLAGS,
    ORG_FLAG,
    ALL_FLAG,
    valueFlag("--limit", "EVENTS", "How many to show, at most 200", "50"),
    valueFlag("--before", "ID", "Only what came before the event with this id"),
    valueFlag("--action", "ACTION", "Only this action, such as inference_key.revoke"),
    valueFlag("--actor", "USER", "Only what this user did, or operator, or system"),
    valueFlag("--from", "TIME", "From when, such as 2026-06-01T00:00:00Z"),
    valueFlag("--to", "TIME", "Until when, not included"),
    JSON_FLAG,
  ],
  notes: ["Events are kept for good."],
  examples: ["audit", "audit --all --action user.create", "audit --org acme --limit 200 --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const page = await client.call("GET", `${await pathOf(client, line)}?${queryOf(line)}`);
      const events = listOf(page, "events");
      print(line, page, () => text(events, page.has_more === true));
      return EXIT.ok;
    }),
};

async function pathOf(client: ManagementClient, line: CommandLine): Promise<string> {
  if (line.flags.has(ALL_FLAG.name)) return "/operator/audit";
  return `${await inferencePath(client, line)}/audit`;
}

function queryOf({ flags }: CommandLine): string {
  const query = new URLSearchParams();
  for (const [flag, name] of NARROWING) {
    const value = flags.get(flag)?.at(-1);
    if (value !== undefined) query.set(name, value);
  }
  return query.toString();
}

function text(events: readonly JsonObject[], hasMore: boolean): string {
  const shownEvents = table(COLUMNS, events, "Nothing was changed.");
  if (!hasMore) return shownEvents;
  return `${shownEvents}\n\nThere are older ones: --before ${textOf(events.at(-1), "id")}`;
}

/** Writes what an event says as `name=value`, and what changed as `name=before->after`. */
function detailOf(detail: Json | undefined): string {
  if (!isJsonObject(detail)) return "-";
  const parts = Object.entries(detail).map(([name, value]) => {
    const said = isJsonObject(value) ? `${word(value.before)}->${word(value.after)}` : word(value);
    return `${name}=${said}`;
  });
  return parts.join(" ") || "-";
}

/** Words with space in them are quoted, so that it shows where each ends. */
function word(value: Json | undefined): string {
  const plain = shown(value);
  return /\s/.test(plain) ? JSON.stringify(plain) : plain;
}
