import { existsSync } from "node:fs";
import { join } from "node:path";
import { databasePath } from "../../app.ts";
import { createMasterKeyFile, readMasterKeyFile } from "../../store/master_key_file.ts";
import { EXIT } from "../exit_codes.ts";
import { passwordFile } from "../first_start.ts";
import { type Change, putFolder, putProgram, putText } from "./files.ts";
import { type Machine, mustBeRoot, placeOn, SystemdError, textOn } from "./machine.ts";
import { deniedResolvers } from "./metadata_addresses.ts";
import { PLACES, SERVICE } from "./places.ts";
import { startService } from "./service_control.ts";
import { listenOf, settingsText } from "./settings_file.ts";
import { putUser } from "./service_user.ts";
import { unitText } from "./unit.ts";

export interface InstallOptions {
  /** The program to install. */
  readonly binary: string;
  /** Whether the service is to run at the end. */
  readonly start: boolean;
  /** Where it is to listen, as `host:port`; null to leave that alone. */
  readonly listen: string | null;
}

/**
 * Installs the service, or brings an installed one up to date: user, master key, settings, program, unit. What is
 * there already stays as it is, keys and settings in any case.
 *
 * @throws {SystemdError} If this user may not, or what is there does not fit; then nothing has changed.
 * @throws {MasterKeyFileError} If the master key that is there cannot be used.
 */
export async function install(machine: Machine, options: InstallOptions): Promise<void> {
  mustBeRoot(machine, "install");
  mustFit(machine, options);
  const isFirst = !hasDatabase(machine);
  putUser(machine);
  putConfiguration(machine, options.listen);
  const binary = await putBinary(machine, options.binary);
  const unit = putUnit(machine);
  const changed = binary !== "unchanged" || unit !== "unchanged";
  startService(machine, { changed, start: options.start });
  machine.say(["", ...nextSteps(machine, options, isFirst)].join("\n"));
}

/** Refuses what would fail, or quietly not be done, further on. */
function mustFit(machine: Machine, { binary, listen }: InstallOptions): void {
  if (!existsSync(binary))
    throw new SystemdError(`Cannot install "${binary}": there is no such file`, {
      fix: "name the program to install: --binary PATH",
      exitCode: EXIT.usage,
    });
  const settings = textOn(machine, PLACES.settings);
  if (listen !== null && settings !== "" && listenOf(settings) !== listen)
    throw new SystemdError(`Cannot set --listen: ${PLACES.settings} exists, and is left alone`, {
      fix: `write INFERENCE_PROXY_LISTEN=${listen} into it, then: systemctl restart ${SERVICE}`,
      exitCode: EXIT.usage,
    });
  mustHaveKeyOfDatabase(machine);
}

/** A new key would open nothing of what is sealed in a database that is there. */
function mustHaveKeyOfDatabase(machine: Machine): void {
  const key = readMasterKeyFile(placeOn(machine, PLACES.masterKey));
  if (key !== null || !hasDatabase(machine)) return;
  const own = join(PLACES.dataDir, "master.key");
  const from = existsSync(placeOn(machine, own)) ? own : "FILE";
  throw new SystemdError(
    `Cannot make a master key: ${PLACES.dataDir} holds a database that another one seals`,
    {
      fix: `put that key in place: install -D -m 600 ${from} ${PLACES.masterKey}`,
      exitCode: EXIT.configuration,
    },
  );
}

function hasDatabase(machine: Machine): boolean {
  return existsSync(databasePath(placeOn(machine, PLACES.dataDir)));
}

function putConfiguration(machine: Machine, listen: string | null): void {
  const folder = putFolder(placeOn(machine, PLACES.configuration), 0o750);
  report(machine, folder, PLACES.configuration, "root only");
  const key = placeOn(machine, PLACES.masterKey);
  const hasKey = existsSync(key);
  if (!hasKey) createMasterKeyFile(key).fill(0);
  report(machine, hasKey ? "unchanged" : "created", PLACES.masterKey, "seals the provider keys");
  if (!hasKey && machine.run === null)
    machine.say("note       machines made from these files share that master key");
  const hasSettings = textOn(machine, PLACES.settings) !== "";
  if (!hasSettings) putText(placeOn(machine, PLACES.settings), settingsText(listen), 0o640);
  report(machine, hasSettings ? "unchanged" : "created", PLACES.settings, "settings");
}

async function putBinary(machine: Machine, binary: string): Promise<Change> {
  const change = await putProgram(placeOn(machine, PLACES.binary), binary);
  report(machine, change, PLACES.binary, change === "unchanged" ? "program" : `from ${binary}`);
  return change;
}

function putUnit(machine: Machine): Change {
  // Names are resolved on the machine that runs the service, not on the one that stages its files.
  const resolvConf = machine.run === null ? "" : textOn(machine, "/etc/resolv.conf");
  const allowedResolvers = deniedResolvers(resolvConf);
  const { binary, dataDir } = PLACES;
  const text = unitText({ binary, dataDir, allowedResolvers });
  const change = putText(placeOn(machine, PLACES.unit), text, 0o644);
  report(machine, change, PLACES.unit, "unit");
  for (const address of allowedResolvers)
    machine.say(
      `note       names are resolved at ${address}, where a cloud may also hand out keys: the service may reach it`,
    );
  return change;
}

function report(machine: Machine, change: Change, path: string, what: string): void {
  machine.say(`${change.padEnd(10)} ${path}  (${what})`);
}

function nextSteps(machine: Machine, { start }: InstallOptions, isFirst: boolean): string[] {
  const listen = listenOf(textOn(machine, PLACES.settings)) ?? "127.0.0.1:8080";
  const begin = start && machine.run !== null ? [] : [`  systemctl enable --now ${SERVICE}`];
  const password = `  cat ${passwordFile(PLACES.dataDir)}    # for "admin", made at the first start`;
  return [
    "Next:",
    ...begin,
    ...(isFirst ? [password] : []),
    "  inference-proxy status",
    `  systemctl status ${SERVICE}`,
    `  journalctl -u ${SERVICE}`,
    `  curl http://${listen}/readyz`,
    "",
    `Settings are in ${PLACES.settings}; after a change: systemctl restart ${SERVICE}`,
    `Keep a copy of ${PLACES.masterKey} apart from ${PLACES.dataDir}: without it, stored`,
    "provider keys cannot be opened.",
  ];
}
