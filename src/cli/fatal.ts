import { ConfigError } from "../config.ts";
import { FlagError } from "../std/flags.ts";
import { formatHostPort, type HostPort } from "../std/host_port.ts";
import { DataDirError, DataDirLockedError } from "../store/data_dir.ts";
import { DiscardRefusedError } from "../store/discard_provider_keys.ts";
import { MissingMasterKeyError } from "../store/master_key.ts";
import { MasterKeyFileError } from "../store/master_key_file.ts";
import { DamagedKeyRingError, WrongMasterKeyError } from "../store/master_key_ring.ts";
import { NewerSchemaError } from "../store/migrate.ts";
import { EXIT, type ExitCode } from "./exit_codes.ts";
import { explainBackup, RESTORE_FIX } from "./explain_backup.ts";
import { NoDatabaseError } from "./local.ts";
import { lockHolder } from "./lock_holder.ts";
import { ManagementRefusal } from "./management_client.ts";
import { portHolder } from "./port_holder.ts";
import { RotationInterruptedError } from "./rotate_master_key.ts";
import { SystemdError } from "./systemd/machine.ts";

/** Why a command failed, for the person who has to put it right. */
export interface Failure {
  readonly what: string;
  /** Further facts, each under a word. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  readonly exitCode: ExitCode;
}

/** The address to listen on is taken or not to be had. */
export class ListenError extends Error {
  readonly address: HostPort;
  readonly code: unknown;

  constructor(address: HostPort, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot listen on ${formatHostPort(address)}: ${why}`);
    this.address = address;
    this.code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  }
}

/** Explains whatever a command threw: what is, why, what to do, and the exit code that says so to a service manager. */
export function explainFailure(error: unknown): Failure {
  if (error instanceof FlagError) return failure(error.message, EXIT.usage, error.fix);
  if (error instanceof ConfigError) return failure(error.message, EXIT.configuration, error.fix);
  if (error instanceof SystemdError) return failure(error.message, error.exitCode, error.fix);
  return (
    explainRefusal(error) ??
    explainDataDir(error) ??
    explainBackup(error) ??
    explainMasterKey(error) ??
    explainListening(error) ??
    explainCode(error) ?? {
      what: error instanceof Error ? error.message : String(error),
      facts: [
        ["why", "this is a fault of the program itself"],
        ["where", (error instanceof Error ? error.stack : undefined) ?? "unknown"],
      ],
      exitCode: EXIT.software,
    }
  );
}

/** Writes a failure as a few lines of text. */
export function formatFailure({ what, facts }: Failure): string {
  const lines = facts.map(([name, text]) => `  ${name.padEnd(10)}${text}`);
  return [`error: ${what}`, ...lines].join("\n");
}

/** Which exit code says the same as a status of the management plane. */
const REFUSALS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  401: EXIT.permission,
  403: EXIT.permission,
  404: EXIT.missing,
  409: EXIT.data,
  413: EXIT.usage,
  503: EXIT.unavailable,
};

/** What to type after some refusals of the management plane, by code. */
const FIXES: Readonly<Record<string, string>> = {
  settings_not_configured: "inference-proxy settings set --monthly-cost-limit DOLLARS",
  circuit_still_over: "give a higher limit: --monthly-cost-limit DOLLARS",
  base_url_required: "say where the provider is: --base-url URL",
  api_key_required: "leave out --keep-key, and give the provider key when asked",
  slug_taken: "choose another: --slug SLUG",
  provider_config_not_found: "see inference-proxy provider list",
};

function explainRefusal(error: unknown): Failure | null {
  if (!(error instanceof ManagementRefusal)) return null;
  const exitCode = REFUSALS[error.status] ?? EXIT.software;
  const fix = FIXES[error.code];
  const facts = error.code === "" ? [] : ([["code", error.code]] as const);
  if (fix === undefined) return { what: error.message, facts, exitCode };
  return failure(error.message, exitCode, fix, facts);
}

function explainDataDir(error: unknown): Failure | null {
  if (error instanceof DataDirLockedError) {
    const holder = lockHolder(error.path);
    const facts = holder === null ? [] : ([["held by", `process ${holder}`]] as const);
    const fix = "stop that process, or choose another directory: --data-dir DIR";
    return failure(error.message, EXIT.locked, fix, facts);
  }
  if (error instanceof DataDirError) {
    const fix = "give the directory to the user that runs this, or choose another: --data-dir DIR";
    return failure(error.message, EXIT.permission, fix);
  }
  if (error instanceof NoDatabaseError) {
    const fix =
      "start the proxy there first (inference-proxy serve), or say where it is: --data-dir DIR";
    return failure(error.message, EXIT.missing, fix);
  }
  if (error instanceof NewerSchemaError) {
    const fix = "install the newer version again, or restore a backup from before it";
    return failure(error.message, EXIT.data, fix);
  }
  return null;
}

function explainMasterKey(error: unknown): Failure | null {
  if (error instanceof WrongMasterKeyError) {
    const { neededIds, offeredId, place } = error;
    const offered = place === null ? "the key" : `${place.path} is the key`;
    return lackingMasterKey(error.message, place, [
      ["needed", `the key with id ${neededIds.join(" or ")}`],
      ["offered", `${offered} with id ${offeredId}`],
    ]);
  }
  if (error instanceof MissingMasterKeyError) return lackingMasterKey(error.message, error, []);
  if (error instanceof DiscardRefusedError)
    return failure(error.message, EXIT.configuration, error.fix);
  if (error instanceof RotationInterruptedError)
    return failure(error.message, EXIT.unavailable, error.fix);
  if (error instanceof DamagedKeyRingError) {
    const fix = "offer the other master key: --master-key-file FILE; else restore a backup";
    return failure(error.message, EXIT.data, fix);
  }
  if (error instanceof MasterKeyFileError) {
    const fix = "the file holds 32 random bytes and is readable by its owner alone: chmod 600 FILE";
    return failure(error.message, EXIT.configuration, fix);
  }
  return null;
}

/** Says where the right master key is, or else the way out that loses least. */
function lackingMasterKey(
  what: string,
  place: { readonly path: string; readonly foundAt: string | null } | null,
  facts: Failure["facts"],
): Failure {
  if (place !== null && place.foundAt !== null) {
    const fix = `such a key is in ${place.foundAt}: put it back in ${place.path}`;
    return failure(what, EXIT.configuration, fix, facts);
  }
  const fix = "put the original master key back, or say where it is: --master-key-file FILE";
  const explained = failure(what, EXIT.configuration, fix, facts);
  return { ...explained, facts: [...explained.facts, ["if lost", DISCARD]] };
}

const DISCARD =
  '"inference-proxy master-key rotate --discard-provider-keys" keeps inference keys, usage and ' +
  "settings, and forgets the provider keys";

/** Why an address cannot be listened on, by code. */
const LISTENING: Readonly<Record<string, readonly [why: string, exitCode: ExitCode, fix: string]>> =
  {
    EADDRINUSE: [
      "the port is in use",
      EXIT.unavailable,
      "it may be running already (inference-proxy status), or choose another port: --listen HOST:PORT",
    ],
    EADDRNOTAVAIL: [
      "this machine does not have that address",
      EXIT.unavailable,
      "listen on an address of this machine: --listen HOST:PORT",
    ],
    EACCES: [
      "this user may not listen there",
      EXIT.permission,
      "ports below 1024 need a permission: choose another port, behind a reverse proxy",
    ],
  };

function explainListening(error: unknown): Failure | null {
  if (!(error instanceof ListenError)) return null;
  const [why, exitCode, fix] = LISTENING[String(error.code)] ?? [];
  if (why === undefined || exitCode === undefined || fix === undefined) return null;
  const holder = error.code === "EADDRINUSE" ? portHolder(error.address.port) : null;
  const facts =
    holder === null ? [] : ([["held by", `process ${holder.pid} (${holder.name})`]] as const);
  return failure(`Cannot listen on ${formatHostPort(error.address)}: ${why}`, exitCode, fix, facts);
}

/** What the system and the database say by code, and never by message. */
const CODES: Readonly<Record<string, readonly [what: string, exitCode: ExitCode, fix: string]>> = {
  EACCES: [
    "Cannot go on: this user may not open a file that is needed",
    EXIT.permission,
    "run it as the user who owns the data directory, or as root",
  ],
  EPIPE: ["Cannot write output: whoever reads it has gone", EXIT.disk, "let it read to the end"],
  EPERM: [
    "Cannot go on: this user may not do that",
    EXIT.permission,
    "run it as the user who owns the data directory",
  ],
  SQLITE_NOTADB: ["Cannot open database: the file is none", EXIT.data, RESTORE_FIX],
  SQLITE_CORRUPT: ["Cannot read database: it is damaged", EXIT.data, RESTORE_FIX],
  SQLITE_BUSY: ["Cannot open database: another process uses it", EXIT.locked, "stop that process"],
  SQLITE_CANTOPEN: [
    "Cannot open database: the system does not let this user",
    EXIT.permission,
    "check owner and mode of the data directory",
  ],
  SQLITE_READONLY: [
    "Cannot write database: it is read-only for this user",
    EXIT.permission,
    "check owner and mode of the data directory",
  ],
  SQLITE_PERM: [
    "Cannot write database: this user may not",
    EXIT.permission,
    "check owner and mode of the data directory",
  ],
  SQLITE_FULL: ["Cannot write database: the disk is full", EXIT.disk, "make room on the disk"],
  SQLITE_IOERR: [
    "Cannot use database: the disk fails",
    EXIT.disk,
    "check the disk, then restore a backup",
  ],
  ENOSPC: ["Cannot write: the disk is full", EXIT.disk, "make room on the disk"],
};

function explainCode(error: unknown): Failure | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string")
    return null;
  // Extended codes of the database begin with the plain one: SQLITE_IOERR_WRITE.
  const known = Object.keys(CODES).find((code) => String(error.code).startsWith(code));
  const [what, exitCode, fix] = CODES[known ?? ""] ?? [];
  if (what === undefined || exitCode === undefined || fix === undefined) return null;
  return failure(what, exitCode, fix, [["why", error.message]]);
}

function failure(
  what: string,
  exitCode: ExitCode,
  fix: string,
  facts: Failure["facts"] = [],
): Failure {
  return { what, facts: [...facts, ["fix", fix]], exitCode };
}
