import { FlagError } from "../std/flags.ts";
import type { CommandLine } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG, switchFlag, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { PROGRAM } from "./help.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { type ManagementClient, ManagementRefusal } from "./management_client.ts";
import { dollarsOfCents, readCents } from "./money.ts";
import { inferencePath, ORG_FLAG } from "./organization_choice.ts";
import { print, shown } from "./print.ts";
import { facts } from "./table.ts";

const FLAGS = [...LOCAL_FLAGS, ORG_FLAG];
const LIMIT = valueFlag(
  "--monthly-cost-limit",
  "DOLLARS",
  "What the organization may cost in a month",
);

/** Shows an organization's settings. */
export const settingsShow: Command = {
  name: "settings show",
  group: "Money",
  summary: "Show an organization's cost limit, its cost circuit, and whether it is EU only",
  arguments: [],
  flags: [...FLAGS, JSON_FLAG],
  examples: ["settings show", "settings show --org acme --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const settings = await client.call("GET", `${await inferencePath(client, line)}/settings`);
      print(line, settings, () => settingsText(settings));
      return EXIT.ok;
    }),
};

/** Changes an organization's settings. */
export const settingsSet: Command = {
  name: "settings set",
  group: "Money",
  summary: "Change an organization's cost limit, or whether it is EU only",
  arguments: [],
  flags: [
    ...FLAGS,
    LIMIT,
    switchFlag("--eu-only", "Refuse providers without an EU-resident route"),
    switchFlag("--no-eu-only", "Allow every provider"),
    JSON_FLAG,
  ],
  notes: ["Before the first cost limit is set, no call goes through."],
  examples: [
    "settings set --monthly-cost-limit 600",
    "settings set --org acme --monthly-cost-limit 600 --eu-only",
  ],
  run: (line) => change(line, changesOf(line)),
};

/** Closes an organization's cost circuit. */
export const settingsResetCircuit: Command = {
  name: "settings reset-circuit",
  group: "Money",
  summary: "Close an organization's cost circuit again, after it reached its cost limit",
  arguments: [],
  flags: [
    ...FLAGS,
    { ...LIMIT, help: "A new limit; needed while the month is over it" },
    JSON_FLAG,
  ],
  examples: ["settings reset-circuit --monthly-cost-limit 900"],
  run: (line) => change(line, { ...limitOf(line), reset_circuit: true }),
};

/** Returns an organization's settings, or null if it has none yet. @param path Of what belongs to it. */
export async function settingsOf(
  client: ManagementClient,
  path: string,
): Promise<JsonObject | null> {
  try {
    return await client.call("GET", `${path}/settings`);
  } catch (error) {
    const isMissing =
      error instanceof ManagementRefusal && error.code === "settings_not_configured";
    if (isMissing) return null;
    throw error;
  }
}

function change(line: CommandLine, changes: JsonObject): Promise<number> {
  return withLocal(line, async ({ client }) => {
    const path = await inferencePath(client, line);
    if (!("monthly_cost_limit_cents" in changes)) await requireSettings(client, path);
    const settings = await client.call("PUT", `${path}/settings`, changes);
    print(line, settings, () => settingsText(settings));
    return EXIT.ok;
  });
}

async function requireSettings(client: ManagementClient, path: string): Promise<void> {
  if ((await settingsOf(client, path)) !== null) return;
  throw new FlagError(
    "Cannot change settings: there are none yet, and the first ones take a cost limit",
    `add ${LIMIT.name} 600, or another amount of dollars`,
  );
}

function changesOf(line: CommandLine): JsonObject {
  const { flags } = line;
  if (flags.has("--eu-only") && flags.has("--no-eu-only"))
    throw new FlagError(
      "Cannot change settings: --eu-only and --no-eu-only exclude each other",
      "write one",
    );
  const changes = {
    ...limitOf(line),
    ...(flags.has("--eu-only") ? { eu_only: true } : {}),
    ...(flags.has("--no-eu-only") ? { eu_only: false } : {}),
  };
  if (Object.keys(changes).length > 0) return changes;
  throw new FlagError(
    "Cannot change settings: nothing to change is given",
    `see ${PROGRAM} settings set --help`,
  );
}

function limitOf({ flags }: CommandLine): JsonObject {
  const text = flags.get(LIMIT.name)?.at(-1);
  if (text === undefined) return {};
  return { monthly_cost_limit_cents: readCents(LIMIT.name, text) };
}

function settingsText(settings: JsonObject): string {
  const opened = shown(settings.circuit_opened_at);
  return facts([
    ["Cost limit", `${dollarsOfCents(Number(settings.monthly_cost_limit_cents))} a month`],
    ["Cost circuit", settings.circuit_open === true ? `open since ${opened}` : "closed"],
    ["EU only", shown(settings.eu_only)],
    ["Updated", shown(settings.updated_at)],
  ]);
}
