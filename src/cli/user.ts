import { rmSync } from "node:fs";
import { foldUserName } from "../domain/names.ts";
import { FlagError } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { passwordFile } from "./first_start.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { listOf, type ManagementClient, textOf } from "./management_client.ts";
import { print, shown } from "./print.ts";
import { askNewSecret } from "./prompt.ts";
import { type Column, table } from "./table.ts";

const FIRST_USER = "admin";

const NAME = { name: "NAME", help: "The name that the user signs in with" };

const COLUMNS: readonly Column<JsonObject>[] = [
  { title: "NAME", cell: (row) => shown(row.name) },
  { title: "MEMBER OF", cell: membershipsOf },
  { title: "CREATED", cell: (row) => shown(row.created_at) },
  { title: "ID", cell: (row) => shown(row.id) },
];

/** Lists users. */
export const userList: Command = {
  name: "user list",
  group: "People",
  summary: "List the users and what they are members of",
  arguments: [],
  flags: [...LOCAL_FLAGS, JSON_FLAG],
  examples: ["user list", "user list --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const users = await listUsers(client);
      print(line, users, () => table(COLUMNS, users, "No users."));
      return EXIT.ok;
    }),
};

/** Creates a user. */
export const userCreate: Command = {
  name: "user create",
  group: "People",
  summary: "Create a user, with a password asked for",
  arguments: [NAME],
  flags: [...LOCAL_FLAGS, JSON_FLAG],
  notes: ["The password is typed, or piped in. A new user is a member of nothing: see member add."],
  examples: ["user create ada", "user create ada < password-file"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const [name = ""] = line.words;
      const password = (await askNewSecret("Password")).reveal();
      const user = await client.call("POST", "/operator/users", { name, password });
      print(line, user, () => `Created user ${textOf(user, "name")}.`);
      return EXIT.ok;
    }),
};

/** Replaces a password. */
export const userPasswd: Command = {
  name: "user passwd",
  group: "People",
  summary: "Give a user a new password, asked for",
  arguments: [NAME],
  flags: [...LOCAL_FLAGS],
  notes: ["It is typed, or piped in, and holds at once."],
  examples: ["user passwd admin", "user passwd admin < password-file"],
  run: (line) =>
    withLocal(line, async ({ client, config }) => {
      const user = await requireUser(client, line.words[0] ?? "");
      const password = (await askNewSecret("New password")).reveal();
      await client.call("PUT", `/operator/users/${textOf(user, "id")}/password`, { password });
      // It holds the first user's first password, which nobody needs any more.
      if (user.name === FIRST_USER) rmSync(passwordFile(config.dataDir), { force: true });
      console.log(`Changed the password of ${textOf(user, "name")}.`);
      return EXIT.ok;
    }),
};

/** Lets a user sign in again. */
export const userUnlock: Command = {
  name: "user unlock",
  group: "People",
  summary: "Let a user sign in again at once, after too many failures",
  arguments: [NAME],
  flags: [...LOCAL_FLAGS],
  notes: ["Failures are forgotten by themselves after a quarter of an hour, and by a restart."],
  examples: ["user unlock ada"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const user = await requireUser(client, line.words[0] ?? "");
      await client.call("POST", `/operator/users/${textOf(user, "id")}/unlock`);
      console.log(`${textOf(user, "name")} can sign in again at once.`);
      return EXIT.ok;
    }),
};

/** Deletes a user. */
export const userDelete: Command = {
  name: "user delete",
  group: "People",
  summary: "Delete a user",
  arguments: [NAME],
  flags: [...LOCAL_FLAGS],
  notes: [
    "What the user did stays in the audit trail. The last owner of an organization stays too.",
  ],
  examples: ["user delete ada"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const user = await requireUser(client, line.words[0] ?? "");
      await client.call("DELETE", `/operator/users/${textOf(user, "id")}`);
      console.log(`Deleted user ${textOf(user, "name")}.`);
      return EXIT.ok;
    }),
};

async function listUsers(client: ManagementClient): Promise<JsonObject[]> {
  return listOf(await client.call("GET", "/operator/users"), "users");
}

/** Finds a user by name or id. */
export async function findUser(
  client: ManagementClient,
  name: string,
): Promise<JsonObject | undefined> {
  const folded = foldUserName(name);
  const users = await listUsers(client);
  return users.find((one) => one.name === folded || one.id === name);
}

async function requireUser(client: ManagementClient, name: string): Promise<JsonObject> {
  const user = await findUser(client, name);
  if (user !== undefined) return user;
  throw new FlagError(`Cannot find user: there is no "${name}"`, "see inference-proxy user list");
}

function membershipsOf(user: JsonObject): string {
  const memberships = listOf(user, "memberships");
  return memberships.map((one) => `${shown(one.slug)} (${shown(one.role)})`).join(", ") || "-";
}
