import { existsSync } from "node:fs";
import { databasePath } from "../app.ts";
import type { Config } from "../config.ts";
import { systemClock } from "../std/clock.ts";
import { type CommandLine, FlagError } from "../std/flags.ts";
import { discardProviderKeys } from "../store/discard_provider_keys.ts";
import { type MasterKeyReport, reportMasterKey } from "../store/master_key_report.ts";
import { nextMasterKeyPath, swapMasterKeys } from "../store/master_key_swap.ts";
import { type Command, JSON_FLAG, switchFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { LOCAL_FLAGS, localConfig, NoDatabaseError, withLocal } from "./local.ts";
import { print } from "./print.ts";
import { confirm } from "./prompt.ts";
import { rotateMasterKey } from "./rotate_master_key.ts";
import { facts } from "./table.ts";

const DISCARD = "--discard-provider-keys";

/** Replaces the master key. */
export const masterKeyRotate: Command = {
  name: "master-key rotate",
  group: "Care",
  summary: "Replace the key that seals provider keys, while the proxy serves",
  arguments: [],
  flags: [
    ...LOCAL_FLAGS,
    switchFlag(
      DISCARD,
      "For a master key that is lost: forget the provider keys, which nothing opens any more",
    ),
    switchFlag("--yes", `Do not ask before ${DISCARD}`),
    JSON_FLAG,
  ],
  notes: [
    "The new key takes the place of the old one, which is kept beside it under its id: backups from before need",
    "it. Killed at any moment, it is run again and goes on. Under systemd, name the file that the unit loads:",
    "--master-key-file /etc/inference-proxy/master.key; the service need not be restarted.",
    "",
    `${DISCARD} needs the server to be stopped. Inference keys, usage and settings stay; provider`,
    "configs stay too, disabled until their keys are entered again.",
  ],
  examples: [
    "master-key rotate",
    "master-key rotate --data-dir /var/lib/inference-proxy --master-key-file /etc/inference-proxy/master.key",
    `master-key rotate ${DISCARD}`,
  ],
  run: (line) => (line.flags.has(DISCARD) ? discard(line) : rotate(line)),
};

/** Compares the master key in its file with the one that the database needs. */
export const masterKeyVerify: Command = {
  name: "master-key verify",
  group: "Care",
  summary: "Check that the master key in its file is the one that the database needs",
  arguments: [],
  flags: [...LOCAL_FLAGS, JSON_FLAG],
  notes: ["Nothing is changed, whether a server runs or not. Exits with 78 if they do not match."],
  examples: [
    "master-key verify",
    "master-key verify --master-key-file /etc/inference-proxy/master.key",
  ],
  run: async (line) => {
    const report = await reportOn(localConfig(line));
    const { neededIds, heldId, problem, rotation, path, foundAt } = report;
    const data = {
      matches: problem === null,
      needed_key_ids: [...neededIds],
      file: path,
      file_key_id: heldId,
      problem,
      found_at: foundAt,
      rotation: rotation && { from_key_id: rotation.fromId, to_key_id: rotation.toId },
    };
    print(line, data, () => screen(report));
    return problem === null ? EXIT.ok : EXIT.configuration;
  },
};

async function rotate(line: CommandLine): Promise<number> {
  await swapIfLeftOver(localConfig(line));
  return withLocal(line, async ({ client, config }) => {
    const { path } = config.masterKey;
    const rotated = await rotateMasterKey(client, path, (note) => console.error(note));
    const { keyId, previousKeyId, keptAt } = rotated;
    const data = { key_id: keyId, previous_key_id: previousKeyId, file: path, kept_at: keptAt };
    print(line, data, () =>
      [
        `Replaced master key ${previousKeyId} by ${keyId}, in ${path}.`,
        `The old one is in ${keptAt}: backups from before need it. Keep a copy of both apart from`,
        "the database.",
      ].join("\n"),
    );
    return EXIT.ok;
  });
}

/** A run that was killed may have left the right key beside its place, and the wrong one in it. */
async function swapIfLeftOver(config: Config): Promise<void> {
  const { problem, heldId, foundAt, path } = await reportOn(config);
  const isLegible = heldId !== null || !existsSync(path);
  if (problem !== null && isLegible && foundAt === nextMasterKeyPath(path)) swapMasterKeys(path);
}

async function discard(line: CommandLine): Promise<number> {
  const config = localConfig(line);
  const { path } = config.masterKey;
  requireDatabase(config);
  if (!line.flags.has("--yes") && !(await confirm(WARNING)))
    throw new FlagError("Cannot go on: nobody confirmed it", "type yes when asked, or write --yes");
  const { keyId, providerConfigs } = await discardProviderKeys({
    dataDir: config.dataDir,
    databasePath: databasePath(config.dataDir),
    masterKeyPath: path,
    nowMs: systemClock.wallMs(),
  });
  const data = { key_id: keyId, file: path, provider_configs_without_key: providerConfigs };
  print(line, data, () =>
    [
      `The new master key is ${keyId}, in ${path}. Keep a copy of it apart from the database.`,
      `Provider configs that need their key again: ${providerConfigs}. They are disabled until then.`,
    ].join("\n"),
  );
  return EXIT.ok;
}

const WARNING =
  "Every stored provider key is forgotten for good, and must be entered again by its organization.";

function reportOn(config: Config): Promise<MasterKeyReport> {
  requireDatabase(config);
  return reportMasterKey(databasePath(config.dataDir), config.masterKey.path);
}

function requireDatabase({ dataDir }: Config): void {
  if (!existsSync(databasePath(dataDir))) throw new NoDatabaseError(dataDir);
}

function screen({ neededIds, path, heldId, problem, foundAt, rotation }: MasterKeyReport): string {
  const needed = neededIds.length === 0 ? "any key: it has met none" : neededIds.join(" or ");
  return facts([
    ["Database needs", needed],
    ["File", path],
    ["File holds", heldId ?? "no key"],
    ...(problem === null ? [] : ([["Problem", problem]] as const)),
    ...(foundAt === null ? [] : ([["Found", `such a key is in ${foundAt}`]] as const)),
    ...(rotation === null
      ? []
      : ([
          ["Rotation", `unfinished, from ${rotation.fromId} to ${rotation.toId}`],
          ["Fix", "inference-proxy master-key rotate"],
        ] as const)),
    ["Verdict", problem === null ? "they match" : "they do not match"],
  ]);
}
