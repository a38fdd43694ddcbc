import { closeSync, openSync, statSync } from "node:fs";
import { databasePath } from "../app.ts";
import type { Config } from "../config.ts";
import { systemClock } from "../std/clock.ts";
import { FlagError } from "../std/flags.ts";
import { filePieces } from "../store/file_pieces.ts";
import { MasterKey } from "../store/master_key_crypto.ts";
import { MasterKeyFileError, readMasterKeyFile } from "../store/master_key_file.ts";
import { type Restored, restoreBackup, type RestoreOptions } from "../store/restore.ts";
import { type Command, JSON_FLAG, switchFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, localConfig } from "./local.ts";
import { facts } from "./table.ts";

/** Makes a backup the database of a data directory. */
export const restore: Command = {
  name: "restore",
  group: "Care",
  summary: "Restore a backup into a data directory that no proxy serves from",
  arguments: [{ name: "PATH|-", help: "The archive to read; - is standard input" }],
  flags: [
    ...LOCAL_FLAGS,
    switchFlag("--force", "Keep a database that is there aside, under another name"),
    JSON_FLAG,
  ],
  notes: [
    "The archive is verified whole before anything changes. The master key is not in it: put the copy that",
    "you keep where the proxy looks for it. Root restores as the owner of the data directory, so create it",
    "for the user that runs the proxy first.",
  ],
  examples: [
    "restore /var/backups/inference-proxy.tar --data-dir /var/lib/inference-proxy",
    "restore inference-proxy.tar --data-dir ./data --force",
    "restore - --data-dir ./data < inference-proxy.tar",
  ],
  run: async (line) => {
    const [path = ""] = line.words;
    const config = localConfig(line);
    const { dataDir } = config;
    const restored = await restoreFrom(path, {
      dataDir,
      databasePath: databasePath(dataDir),
      force: line.flags.has("--force"),
      nowMs: systemClock.wallMs(),
    });
    const masterKey = await findMasterKey(config.masterKey, restored.masterKeyIds);
    const isJson = line.flags.has("--json");
    console.log(isJson ? json(restored, masterKey) : screen(restored, masterKey, dataDir));
    const warning = masterKeyWarning(masterKey, config.masterKey.path, restored.masterKeyIds);
    if (warning !== null) console.error(warning);
    return EXIT.ok;
  },
};

async function restoreFrom(path: string, options: RestoreOptions): Promise<Restored> {
  if (path === "-") {
    if (process.stdin.isTTY)
      throw new FlagError("Cannot read backup: nothing is piped in", "name a file");
    return restoreBackup(Bun.stdin.stream(), options);
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory())
    throw new FlagError(
      `Cannot read backup "${path}": there is no such file`,
      "name an archive that inference-proxy backup has written",
    );
  // Opened before root acts as somebody else, who might not be allowed to.
  const file = openSync(path, "r");
  try {
    return await restoreBackup(filePieces(file), options);
  } finally {
    closeSync(file);
  }
}

/** What is where the proxy will look for its master key. */
type FoundMasterKey =
  | { readonly state: "right" | "another"; readonly id: string }
  | { readonly state: "missing" }
  | { readonly state: "unusable"; readonly why: string };

async function findMasterKey(
  { path, mayCreate }: Config["masterKey"],
  neededIds: readonly string[],
): Promise<FoundMasterKey> {
  try {
    const bytes = readMasterKeyFile(path, { guarded: !mayCreate });
    if (bytes === null) return { state: "missing" };
    const { id } = await MasterKey.import(bytes);
    return { state: neededIds.length === 0 || neededIds.includes(id) ? "right" : "another", id };
  } catch (error) {
    if (error instanceof MasterKeyFileError) return { state: "unusable", why: error.message };
    throw error;
  }
}

function screen(restored: Restored, masterKey: FoundMasterKey, dataDir: string): string {
  const { manifest, inventory, masterKeyIds, keptAside } = restored;
  const found = masterKey.state === "right" ? ", at hand" : "";
  return facts([
    ["Restored to", dataDir],
    ["Taken", `${manifest.created_at}, by version ${manifest.program_version}`],
    ["Schema", manifest.schema],
    ["Organizations", `${inventory.organizations}`],
    ["Providers", `${inventory.providerConfigs} configured`],
    ["Keys", `${inventory.inferenceKeys} active`],
    ["Master key", masterKeyIds.length === 0 ? "none yet" : `${masterKeyIds.join(" or ")}${found}`],
    ...(keptAside === null ? [] : ([["Kept aside", keptAside]] as const)),
  ]);
}

function json({ manifest, ...restored }: Restored, masterKey: FoundMasterKey): string {
  return JSON.stringify({
    ...manifest,
    organizations: restored.inventory.organizations,
    provider_configs: restored.inventory.providerConfigs,
    inference_keys: restored.inventory.inferenceKeys,
    master_key_ids: restored.masterKeyIds,
    master_key: masterKey.state,
    kept_aside: restored.keptAside,
  });
}

/** Says what a start would be refused for, while there is time to look for the key. */
function masterKeyWarning(
  found: FoundMasterKey,
  path: string,
  neededIds: readonly string[],
): string | null {
  if (found.state === "right" || neededIds.length === 0) return null;
  const needed = `the master key with id ${neededIds.join(" or ")}`;
  const what = {
    missing: `${path} is not there`,
    another: `${path} is another one${"id" in found ? `, with id ${found.id}` : ""}`,
    unusable: `what is there cannot be used${"why" in found ? `: ${found.why}` : ""}`,
  }[found.state];
  return [
    `warning: the proxy will not start yet: it needs ${needed}, and ${what}`,
    `  fix       put the copy that you keep of it into ${path}`,
    "            without it, the provider keys cannot be opened; all else was restored",
  ].join("\n");
}
