import type { JsonObject } from "../std/json.ts";
import { type Command, JSON_FLAG, switchFlag, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, withLocal } from "./local.ts";
import { listOf } from "./management_client.ts";
import { inferencePath, ORG_FLAG } from "./organization_choice.ts";
import { print, shown } from "./print.ts";
import { askSecret } from "./prompt.ts";
import { type Column, facts, table } from "./table.ts";

const PROVIDER = {
  name: "PROVIDER",
  help: "openai, anthropic, mistral, azure_openai or groq",
};

const COLUMNS: readonly Column<JsonObject>[] = [
  { title: "PROVIDER", cell: (row) => shown(row.provider) },
  { title: "BASE URL", cell: (row) => shown(row.base_url ?? "default") },
  { title: "ENABLED", cell: (row) => shown(row.enabled) },
  { title: "KEY", cell: (row) => (row.has_api_key === true ? "sealed" : "missing") },
  { title: "EU-RESIDENT", cell: (row) => shown(row.eu_resident) },
];

const FLAGS = [...LOCAL_FLAGS, ORG_FLAG];

/** Lists provider configs. */
export const providerList: Command = {
  name: "provider list",
  group: "Providers and keys",
  summary: "List the providers that an organization has configured",
  arguments: [],
  flags: [...FLAGS, JSON_FLAG],
  examples: ["provider list", "provider list --org acme --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const path = await inferencePath(client, line);
      const rows = listOf(await client.call("GET", `${path}/providers`), "providers");
      print(line, rows, () => table(COLUMNS, rows, "No providers."));
      return EXIT.ok;
    }),
};

/** Creates or replaces a provider config. */
export const providerSet: Command = {
  name: "provider set",
  group: "Providers and keys",
  summary: "Configure a provider, with its key asked for",
  arguments: [PROVIDER],
  flags: [
    ...FLAGS,
    valueFlag("--base-url", "URL", "Where the provider is", "the provider's own"),
    switchFlag("--eu", "Attest that this route is EU-resident"),
    switchFlag("--disabled", "Keep it configured, but refuse its calls"),
    switchFlag("--keep-key", "Keep the provider key that is stored; not where --base-url changes"),
    JSON_FLAG,
  ],
  notes: ["The provider key is typed, or piped in. It is sealed at once and never shown again."],
  examples: [
    "provider set openai",
    "provider set openai --org acme < openai-key",
    "provider set azure_openai --base-url https://my-resource.openai.azure.com --eu",
  ],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const [provider = ""] = line.words;
      const path = await inferencePath(client, line);
      const baseUrl = line.flags.get("--base-url")?.at(-1);
      const keepsKey = line.flags.has("--keep-key");
      const key = keepsKey ? "" : (await askSecret(`Key of ${provider}`)).reveal();
      const saved = await client.call("PUT", `${path}/providers`, {
        provider,
        api_key: key,
        ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
        eu_endpoint: line.flags.has("--eu"),
        enabled: !line.flags.has("--disabled"),
      });
      print(line, saved, () => table(COLUMNS, [saved], ""));
      return EXIT.ok;
    }),
};

/** Tries a provider config. */
export const providerTest: Command = {
  name: "provider test",
  group: "Providers and keys",
  summary: "Ask a provider for its models, which is free, to see whether its key works",
  arguments: [PROVIDER],
  flags: [...FLAGS, JSON_FLAG],
  notes: ["Exits with 69 if the provider cannot be reached or does not take the key."],
  examples: ["provider test openai", "provider test openai --json"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const [provider = ""] = line.words;
      const path = await inferencePath(client, line);
      const name = encodeURIComponent(provider);
      const result = await client.call("POST", `${path}/providers/${name}/test`);
      print(line, result, () => trialText(result));
      return result.ok === true ? EXIT.ok : EXIT.unavailable;
    }),
};

function trialText(result: JsonObject): string {
  const address = result.address === undefined ? "" : `, at ${shown(result.address)}`;
  return facts([
    ["Result", shown(result.message)],
    ["Host", `${shown(result.host)}${address}`],
    ["Status", shown(result.status)],
    ["Took", `${shown(result.duration_ms)} ms`],
    ["EU-resident", shown(result.eu_resident)],
  ]);
}

/** Deletes a provider config. */
export const providerRemove: Command = {
  name: "provider remove",
  group: "Providers and keys",
  summary: "Remove a provider and its key",
  arguments: [PROVIDER],
  flags: FLAGS,
  notes: ["The sealed key is erased from the database and its log. Old backups still hold it."],
  examples: ["provider remove groq --org acme"],
  run: (line) =>
    withLocal(line, async ({ client }) => {
      const [provider = ""] = line.words;
      const path = await inferencePath(client, line);
      await client.call("DELETE", `${path}/providers/${encodeURIComponent(provider)}`);
      console.log(`Removed provider ${provider}.`);
      return EXIT.ok;
    }),
};
