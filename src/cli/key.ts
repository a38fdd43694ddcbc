import { FlagError } from "../std/flags.ts";
import type { CommandLine } from "../std/flags.ts";
import { formatHostPort } from "../std/host_port.ts";
import type { JsonObject } from "../std/json.ts";
import { type Command, type Flag, JSON_FLAG, switchFlag, valueFlag } from "./command.ts";
import { createdKeyText, type KeySurroundings } from "./created_key.ts";
import { EXIT } from "./exit_codes.ts";
import { PROGRAM } from "./help.ts";
import { LOCAL_FLAGS, type Local, withLocal } from "./local.ts";
import { listOf, type ManagementClient, textOf } from "./management_client.ts";
import { inferencePath, ORG_FLAG } from "./organization_choice.ts";
import { print, shown } from "./print.ts";
import { settingsOf } from "./settings.ts";
import { type Column, facts, table } from "./table.ts";

const KEY = { name: "KEY", help: "The key's name, its first characters as listed, or its id" };

const COLUMNS: readonly Column<JsonObject>[] = [
  { title: "NAME", cell: (row) => shown(row.name) },
  { title: "KEY", cell: (row) => `${shown(row.key_prefix)}...` },
  { title: "STATUS", cell: (row) => shown(row.status) },
  { title: "TOKENS USED", cell: (row) => shown(row.tokens_used_cycle), right: true },
  { title: "OF", cell: (row) => shown(row.monthly_token_limit), right: true },
  { title: "RPM", cell: (row) => shown(row.rate_limit_rpm), right: true },
  { title: "ID", cell: (row) => shown(row.id) },
];

const FLAGS = [...LOCAL_FLAGS, ORG_FLAG];
const MONTHLY_TOKENS = valueFlag("--monthly-tokens", "TOKENS", "Tokens a month, input and output");
const RPM = valueFlag("--rpm", "CALLS", "Calls a minute", "60");

/** Lists inference keys. */
export const keyList: Command = {
  name: "key list",
  group: "Providers and keys",
  summary: "List the inference keys of an organization",
  arguments: [],
  flags: [...FLAGS, JSON_FLAG],
  examples: ["key list", "key list --org acme --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const keys = await listKeys(client, await inferencePath(client, line));
      print(line, keys, () => table(COLUMNS, keys, "No keys."));
      return EXIT.ok;
    }),
};

/** Creates an inference key and shows it, once. */
export const keyCreate: Command = {
  name: "key create",
  group: "Providers and keys",
  summary: "Create an inference key and show it, once",
  arguments: [{ name: "NAME", help: "What people call it" }],
  flags: [...FLAGS, MONTHLY_TOKENS, RPM, JSON_FLAG],
  examples: [
    "key create my-app --monthly-tokens 1000000",
    "key create batch --org acme --monthly-tokens 50000000 --rpm 600",
  ],
  run: (line) =>
    withLocal(line, async (local) => {
      const { client } = local;
      const tokens = numberOf(line, MONTHLY_TOKENS);
      if (tokens === undefined)
        throw new FlagError(
          `Cannot create key: ${MONTHLY_TOKENS.name} is missing, and there is no unlimited key`,
          `write how many tokens a month it may use: ${MONTHLY_TOKENS.name} 1000000`,
        );
      const [name = ""] = line.words;
      const rpm = numberOf(line, RPM);
      const path = await inferencePath(client, line);
      const created = await client.call("POST", `${path}/keys`, {
        name,
        monthly_token_limit: tokens,
        ...(rpm === undefined ? {} : { rate_limit_rpm: rpm }),
      });
      const around = await surroundingsOf(local, path);
      print(line, created, () => createdKeyText(textOf(created, "secret"), around, line));
      return EXIT.ok;
    }),
};

/** Shows one inference key. */
export const keyShow: Command = {
  name: "key show",
  group: "Providers and keys",
  summary: "Show one inference key",
  arguments: [KEY],
  flags: [...FLAGS, JSON_FLAG],
  examples: ["key show my-app", "key show my-app --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const { key } = await requireKey(client, line);
      print(line, key, () => keyText(key));
      return EXIT.ok;
    }),
};

/** Changes an inference key. */
export const keyUpdate: Command = {
  name: "key update",
  group: "Providers and keys",
  summary: "Change the limits or the name of an inference key, suspend or resume it",
  arguments: [KEY],
  flags: [
    ...FLAGS,
    valueFlag("--name", "NAME", "Another name"),
    MONTHLY_TOKENS,
    { ...RPM, default: "" },
    switchFlag("--suspend", "Refuse its calls until it is resumed"),
    switchFlag("--resume", "Take its calls again"),
    JSON_FLAG,
  ],
  examples: ["key update my-app --monthly-tokens 2000000", "key update my-app --suspend"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const { path, key } = await requireKey(client, line);
      const changes = changesOf(line);
      if (Object.keys(changes).length === 0)
        throw new FlagError(
          "Cannot change key: nothing to change is given",
          `see ${PROGRAM} key update --help`,
        );
      const changed = await client.call("PATCH", `${path}/keys/${textOf(key, "id")}`, changes);
      print(line, changed, () => keyText(changed));
      return EXIT.ok;
    }),
};

/** Revokes an inference key. */
export const keyRevoke: Command = {
  name: "key revoke",
  group: "Providers and keys",
  summary: "Revoke an inference key, at once and for good",
  arguments: [KEY],
  flags: FLAGS,
  notes: ["What it used stays in the reports. To stop it for a while: key update KEY --suspend."],
  examples: ["key revoke my-app"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const { path, key } = await requireKey(client, line);
      await client.call("DELETE", `${path}/keys/${textOf(key, "id")}`);
      console.log(`Revoked key ${textOf(key, "name")} (${textOf(key, "key_prefix")}...).`);
      return EXIT.ok;
    }),
};

async function listKeys(client: ManagementClient, path: string): Promise<JsonObject[]> {
  return listOf(await client.call("GET", `${path}/keys`), "keys");
}

/** Finds the key that a command is about. @throws {FlagError} If none or several are meant. */
async function requireKey(
  client: ManagementClient,
  line: CommandLine,
): Promise<{ readonly path: string; readonly key: JsonObject }> {
  const path = await inferencePath(client, line);
  const keys = await listKeys(client, path);
  const [wanted = ""] = line.words;
  const named = keys.filter((key) => [key.name, key.key_prefix, key.id].includes(wanted));
  // A revoked key gives its name free.
  const usable = named.filter((key) => key.status !== "revoked");
  const [key, second] = usable.length > 0 ? usable : named;
  if (key === undefined)
    throw new FlagError(`Cannot find key: there is no "${wanted}"`, `see ${PROGRAM} key list`);
  if (second === undefined) return { path, key };
  throw new FlagError(
    `Cannot choose key: "${wanted}" names several`,
    `write an id: ${usable.map((one) => textOf(one, "id")).join(", ")}`,
  );
}

function changesOf({ flags }: CommandLine): JsonObject {
  const name = flags.get("--name")?.at(-1);
  const tokens = numberOf({ flags }, MONTHLY_TOKENS);
  const rpm = numberOf({ flags }, RPM);
  if (flags.has("--suspend") && flags.has("--resume"))
    throw new FlagError(
      "Cannot change key: --suspend and --resume exclude each other",
      "write one",
    );
  return {
    ...(name === undefined ? {} : { name }),
    ...(tokens === undefined ? {} : { monthly_token_limit: tokens }),
    ...(rpm === undefined ? {} : { rate_limit_rpm: rpm }),
    ...(flags.has("--suspend") ? { status: "suspended" } : {}),
    ...(flags.has("--resume") ? { status: "active" } : {}),
  };
}

function numberOf({ flags }: Pick<CommandLine, "flags">, flag: Flag): number | undefined {
  const text = flags.get(flag.name)?.at(-1);
  if (text === undefined) return undefined;
  const plain = text.replaceAll("_", "");
  if (/^\d{1,15}$/.test(plain)) return Number(plain);
  throw new FlagError(
    `Cannot read flag ${flag.name}: "${text}" is no whole number`,
    `write ${flag.name} 1000000`,
  );
}

/** Finds out what a new key's calls will meet. */
async function surroundingsOf(
  { client, config, isRunning }: Local,
  path: string,
): Promise<KeySurroundings> {
  const { listen }: JsonObject = await client.call("GET", "/operator/status");
  const address = shown(listen ?? formatHostPort(config.listen));
  return {
    url: `http://${address}/inference/v1`,
    isRunning,
    settings: await settingsOf(client, path),
    providers: listOf(await client.call("GET", `${path}/providers`), "providers"),
  };
}

function keyText(key: JsonObject): string {
  return facts([
    ["Name", shown(key.name)],
    ["Key", `${shown(key.key_prefix)}...`],
    ["Id", shown(key.id)],
    ["Status", shown(key.status)],
    ["Tokens", `${shown(key.tokens_used_cycle)} of ${shown(key.monthly_token_limit)} this month`],
    ["Calls", `at most ${shown(key.rate_limit_rpm)} a minute`],
    ["Created", shown(key.created_at)],
    ["Revoked", shown(key.revoked_at)],
  ]);
}
