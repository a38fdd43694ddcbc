import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { listOf, textOf } from "./management_client.ts";
import { print, shown } from "./print.ts";
import { type Column, table } from "./table.ts";

const COLUMNS: readonly Column<JsonObject>[] = [
  { title: "SLUG", cell: (row) => shown(row.slug) },
  { title: "NAME", cell: (row) => shown(row.name) },
  { title: "ID", cell: (row) => shown(row.id) },
  { title: "CREATED", cell: (row) => shown(row.created_at) },
];

/** Lists organizations. */
export const orgList: Command = {
  name: "org list",
  group: "People",
  summary: "List the organizations",
  arguments: [],
  flags: [...LOCAL_FLAGS, JSON_FLAG],
  examples: ["org list", "org list --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const rows = listOf(await client.call("GET", "/organizations"), "organizations");
      print(line, rows, () => table(COLUMNS, rows, "No organizations."));
      return EXIT.ok;
    }),
};

/** Creates an organization. */
export const orgCreate: Command = {
  name: "org create",
  group: "People",
  summary: "Create an organization",
  arguments: [{ name: "NAME", help: "What people call it" }],
  flags: [
    ...LOCAL_FLAGS,
    valueFlag("--slug", "SLUG", "What commands call it", "made of the name"),
    JSON_FLAG,
  ],
  examples: ["org create Acme", 'org create "Acme Europe" --slug acme-eu'],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const [name = ""] = line.words;
      const slug = line.flags.get("--slug")?.at(-1);
      const body = slug === undefined ? { name } : { name, slug };
      const created = await client.call("POST", "/operator/organizations", body);
      print(line, created, () => {
        return `Created organization ${textOf(created, "slug")}, id ${textOf(created, "id")}.`;
      });
      return EXIT.ok;
    }),
};
