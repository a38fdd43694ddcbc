import { FlagError } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG, switchFlag, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { listOf, textOf } from "./management_client.ts";
import { chooseOrganization, ORG_FLAG } from "./organization_choice.ts";
import { print, shown } from "./print.ts";
import { askNewSecret } from "./prompt.ts";
import { type Column, table } from "./table.ts";
import { findUser } from "./user.ts";

const NEW = switchFlag("--new", "Create the user as well, with a password asked for");

const USER = { name: "USER", help: "The user's name" };

const COLUMNS: readonly Column<JsonObject>[] = [
  { title: "USER", cell: (row) => shown(row.user) },
  { title: "ROLE", cell: (row) => shown(row.role) },
  { title: "SINCE", cell: (row) => shown(row.created_at) },
];

/** Lists the members of an organization. */
export const memberList: Command = {
  name: "member list",
  group: "People",
  summary: "List the members of an organization",
  arguments: [],
  flags: [...LOCAL_FLAGS, ORG_FLAG, JSON_FLAG],
  examples: ["member list", "member list --org acme"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const path = membersPath(await chooseOrganization(client, line));
      const rows = listOf(await client.call("GET", path), "members");
      print(line, rows, () => table(COLUMNS, rows, "No members."));
      return EXIT.ok;
    }),
};

/** Makes a user a member of an organization. */
export const memberAdd: Command = {
  name: "member add",
  group: "People",
  summary: "Make a user a member of an organization",
  arguments: [USER],
  flags: [
    ...LOCAL_FLAGS,
    ORG_FLAG,
    valueFlag("--role", "ROLE", "owner, admin or member", "admin"),
    NEW,
    JSON_FLAG,
  ],
  examples: ["member add ada --org acme", "member add ada --org acme --role owner --new"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const organization = await chooseOrganization(client, line);
      const [user = ""] = line.words;
      const role = line.flags.get("--role")?.at(-1) ?? "admin";
      const isNew = line.flags.has(NEW.name);
      if (!isNew && (await findUser(client, user)) === undefined)
        throw new FlagError(
          `Cannot add member: there is no user "${user}" yet`,
          `create the user as well: ${NEW.name}`,
        );
      const password = isNew ? { password: (await askNewSecret("Password")).reveal() } : {};
      const body = { user, role, ...password };
      const member = await client.call("POST", membersPath(organization), body);
      const slug = shown(organization.slug);
      print(line, member, () => `${textOf(member, "user")} is ${role} of ${slug}.`);
      return EXIT.ok;
    }),
};

/** Ends a membership. */
export const memberRemove: Command = {
  name: "member remove",
  group: "People",
  summary: "End a membership; the user remains",
  arguments: [USER],
  flags: [...LOCAL_FLAGS, ORG_FLAG],
  examples: ["member remove ada --org acme"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const organization = await chooseOrganization(client, line);
      const [path, slug] = [membersPath(organization), shown(organization.slug)];
      const [name = ""] = line.words;
      const members = listOf(await client.call("GET", path), "members");
      const member = members.find((one) => one.user === name || one.user_id === name);
      if (member === undefined)
        throw new FlagError(
          `Cannot find member: "${name}" is none of ${slug}`,
          "see inference-proxy member list",
        );
      await client.call("DELETE", `${path}/${textOf(member, "user_id")}`);
      console.log(`${name} is no member of ${slug} any more.`);
      return EXIT.ok;
    }),
};

function membersPath(organization: JsonObject): string {
  return `/organizations/${textOf(organization, "id")}/members`;
}
