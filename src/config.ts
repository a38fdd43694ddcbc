import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CAPACITY_NAME } from "./fetch_capacity.ts";
import { type Setting, SETTINGS } from "./setting_table.ts";
import { FlagError, type FlagKind, readFlags } from "./std/flags.ts";
import { parseHeaderLines } from "./std/header_lines.ts";
import { memoryMaxBytes } from "./std/memory_limit.ts";
import { nearest } from "./std/nearest.ts";
import { Secret } from "./std/secret.ts";
import {
  readServiceEnvironment,
  SERVICE_NAMES,
  type ServiceEnvironment,
} from "./std/service_notify.ts";
type Name = keyof typeof SETTINGS;
type Values = { readonly [N in Name]: ReturnType<(typeof SETTINGS)[N]["parse"]> };

/** What the operator decided, fixed for the life of the process. One member per row of the table, but for secrets. */
export interface Config extends Omit<
  Values,
  | "masterKeyFile"
  | "adminPasswordFile"
  | "metricsTokenFile"
  | "otlpHeadersFile"
  | "memoryLimitBytes"
> {
  readonly masterKey: {
    readonly path: string;
    /** False if systemd hands the key over: then it is never made here. */
    readonly mayCreate: boolean;
  };
  /** Null if the operator gave none: then first start makes one up. */
  readonly adminPassword: Secret | null;
  /** Null if the operator gave none: then metrics are read on loopback only. */
  readonly metricsToken: Secret | null;
  /** Sent with every export of traces, by name. */
  readonly otlpHeaders: ReadonlyMap<string, Secret>;
  /** What systemd says that standard error is connected to, as `device:inode`; null if it does not say. */
  readonly journalStream: string | null;
  /** Resident memory above which calls are refused, in bytes; 0 if there is no limit. */
  readonly memoryLimitBytes: number;
  /** Every setting as it was given, in the order of the documentation. */
  readonly given: readonly GivenSetting[];
  readonly surroundings: Surroundings;
}

/** What a setting is, and who said so. */
export interface GivenSetting {
  /** Such as `--listen`. What is in the environment only goes by its name there. */
  readonly name: string;
  /** As it would be written; of a secret only that it is set. */
  readonly value: string;
  readonly source: "flag" | "environment" | "credential" | "default";
}

/** What else the environment says that matters: no setting of ours, but of the runtime or of other programs. */
export interface Surroundings {
  /** How many requests the runtime sends at a time. */
  readonly fetchCapacity: number;
  /** Variables that name a proxy, none of which is used. */
  readonly proxies: readonly string[];
  /** Variables that name certificates of authorities, and the files or folders that they name. */
  readonly authorities: readonly { readonly name: string; readonly path: string }[];
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says, or what it points to, cannot be used. `fix` says what to do. */
export class ConfigError extends Error {
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

/** One row of the table as the documentation shows it. */
export interface SettingRow {
  readonly flag: `--${string}`;
  readonly environment: string;
  readonly value: string;
  /** Empty if there is none. */
  readonly default: string;
  readonly help: string;
  readonly repeatable: boolean;
}

const PREFIX = "INFERENCE_PROXY_";
/** Never a flag: every user of a machine can read its command lines. */
const PASSWORD = `${PREFIX}ADMIN_PASSWORD`;

/** What the runtime sends at a time if nothing is said, and the most that it takes. */
const FETCH_CAPACITY = { unset: 256, most: 65_535 };

/** What makes the runtime trust authorities beside its own and the system's. */
const AUTHORITY_NAMES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/** Every setting, in the order of the documentation. */
export const SETTING_ROWS: readonly SettingRow[] = Object.values<Setting>(SETTINGS).map(
  ({ flag, value, help, default: unset, repeatable = false }) => {
    return { flag, environment: environmentName(flag), value, default: unset, help, repeatable };
  },
);

/** Returns the process's environment. Nothing else reads it. */
export function readEnvironment(): Environment {
  return process.env;
}

/**
 * Returns what the service manager tells this process, and takes it out of the environment: what is started from
 * here is not the service. A process that becomes another program calls this only afterwards.
 */
export function takeServiceEnvironment(): ServiceEnvironment {
  const service = readServiceEnvironment(process.env, process.pid);
  for (const name of SERVICE_NAMES) delete process.env[name];
  return service;
}

/**
 * Returns the names of variables that would send requests through a proxy. None is used: it would be shown
 * provider keys and prompts over http, and would look up names that were judged here. They often stand in the
 * environment for other programs, so they refuse nothing, but whoever relies on them has to know.
 */
export function proxyVariables(environment: Environment): string[] {
  return Object.keys(environment).filter(
    (name) => /^(https?|all)_proxy$/i.test(name) && environment[name] !== "",
  );
}

/**
 * Reads flags over environment over defaults.
 *
 * @param argv Flags only, as `--name value` or `--name=value`.
 * @param readFile Returns the text of a file, or null if there is none; stands in for the disk in tests.
 * @throws {FlagError} If the command line names an unknown flag or holds a malformed value.
 * @throws {ConfigError} If the environment does, or the password's file cannot be read.
 */
export function parseConfig(
  argv: readonly string[],
  environment: Environment,
  readFile: (path: string) => string | null = readTextFile,
): Config {
  return readConfig(readFlags(argv, flagKinds()), environment, readFile);
}

/**
 * Reads the settings among flags that are read already, over environment over defaults.
 *
 * @param flags The texts given for each flag; those that are no setting are left aside.
 * @throws {FlagError} If a flag holds a malformed value.
 * @throws {ConfigError} If the environment does or names what there is not, or the password's file cannot be read.
 */
export function readConfig(
  flags: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
  readFile: (path: string) => string | null = readTextFile,
): Config {
  refuseUnknownNames(environment);
  refuseUncheckedTls(environment);
  const entries = Object.entries<Setting>(SETTINGS);
  const all = Object.fromEntries(
    entries.map(([name, setting]) => [name, valueOf(setting, flags, environment)]),
  ) as Values;
  const { masterKeyFile, adminPasswordFile, metricsTokenFile, otlpHeadersFile, ...values } = all;
  const masterKey = masterKeyPlace(masterKeyFile, values.dataDir, environment, readFile);
  return {
    ...values,
    memoryLimitBytes: values.memoryLimitBytes ?? defaultMemoryLimitBytes(readFile),
    masterKey,
    adminPassword: readPassword(adminPasswordFile, environment, readFile),
    metricsToken: readSecret("metrics token", metricsTokenFile, readFile),
    otlpHeaders: readHeaders(otlpHeadersFile, readFile),
    journalStream: environment["JOURNAL_STREAM"] || null,
    given: givenSettings(flags, environment, masterKey),
    surroundings: surroundingsOf(environment),
  };
}

function givenSettings(
  flags: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
  masterKey: Config["masterKey"],
): GivenSetting[] {
  const rows = Object.values<Setting>(SETTINGS).map((setting): GivenSetting => {
    const { flag: name } = setting;
    // Nothing else hands a key over that may not be made.
    if (setting === SETTINGS.masterKeyFile && !masterKey.mayCreate)
      return { name, value: masterKey.path, source: "credential" };
    return { name, ...givenText(setting, flags, environment) };
  });
  const password: GivenSetting = { name: PASSWORD, value: "set", source: "environment" };
  return environment[PASSWORD] ? [...rows, password] : rows;
}

function givenText(
  { flag, default: unset }: Setting,
  flags: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
): Pick<GivenSetting, "value" | "source"> {
  const flagged = flags.get(flag)?.join(",");
  if (flagged !== undefined) return { value: flagged, source: "flag" };
  // A service manager's file can only blank a variable out, not unset it.
  const said = environment[environmentName(flag)];
  return said ? { value: said, source: "environment" } : { value: unset, source: "default" };
}

function surroundingsOf(environment: Environment): Surroundings {
  const text = environment[CAPACITY_NAME] ?? "";
  const asked = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  const { unset, most } = FETCH_CAPACITY;
  return {
    fetchCapacity: asked <= most ? asked : unset,
    proxies: proxyVariables(environment),
    authorities: AUTHORITY_NAMES.flatMap((name) => {
      const path = environment[name];
      return path ? [{ name, path }] : [];
    }),
  };
}

function environmentName(flag: string): string {
  return PREFIX + flag.slice(2).toUpperCase().replaceAll("-", "_");
}

function flagKinds(): Record<string, FlagKind> {
  return Object.fromEntries(
    SETTING_ROWS.map((row) => [row.flag, row.repeatable ? "values" : "value"]),
  );
}

function refuseUnknownNames(environment: Environment): void {
  const known = [...SETTING_ROWS.map((row) => row.environment), PASSWORD];
  // The prefix is common to all, and would make them look alike.
  const endings = known.map((name) => name.slice(PREFIX.length));
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    const meant = nearest(name.slice(PREFIX.length), endings);
    throw new ConfigError(
      `Cannot read environment: unknown variable ${name}`,
      meant === null ? "unset it" : `did you mean ${PREFIX}${meant}?`,
    );
  }
}

/** Provider keys would go to whoever stands in between. Calls check certificates all the same, but someone meant it. */
function refuseUncheckedTls(environment: Environment): void {
  if (environment["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return;
  throw new ConfigError(
    "Cannot read environment: NODE_TLS_REJECT_UNAUTHORIZED=0 asks not to check certificates",
    "unset it; a private authority is trusted by NODE_EXTRA_CA_CERTS=FILE",
  );
}

function valueOf(
  setting: Setting,
  flags: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
): unknown {
  const { value: text, source } = givenText(setting, flags, environment);
  try {
    return setting.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (source === "flag")
      throw new FlagError(error.message, `write ${setting.flag} ${setting.value}`);
    const name = environmentName(setting.flag);
    throw new ConfigError(error.message, `write ${name}=${setting.value}`);
  }
}

/** Leaves a fifth of what the system allows to whatever else is in memory. */
function defaultMemoryLimitBytes(readFile: (path: string) => string | null): number {
  const mostBytes = memoryMaxBytes((path) => {
    try {
      return readFile(path);
    } catch {
      return null; // The system may hide it from services.
    }
  });
  return mostBytes === null ? 0 : Math.floor(mostBytes * 0.8);
}

function masterKeyPlace(
  file: string | null,
  dataDir: string,
  environment: Environment,
  readFile: (path: string) => string | null,
): Config["masterKey"] {
  const directory = environment.CREDENTIALS_DIRECTORY ?? "";
  const credential = join(directory, "master-key");
  if (directory !== "" && readFile(credential) !== null)
    return { path: credential, mayCreate: false };
  return { path: file ?? join(dataDir, "master.key"), mayCreate: true };
}

function readPassword(
  file: string | null,
  environment: Environment,
  readFile: (path: string) => string | null,
): Secret | null {
  if (file !== null) return readSecret("admin password", file, readFile);
  return environment[PASSWORD] ? new Secret(environment[PASSWORD]) : null;
}

/** Reads a file that holds one line; null if none is named. */
function readSecret(
  what: string,
  file: string | null,
  readFile: (path: string) => string | null,
): Secret | null {
  if (file === null) return null;
  const text = readFile(file);
  const secret = text?.replace(/\r?\n$/, "") ?? "";
  if (secret !== "") return new Secret(secret);
  throw new ConfigError(
    `Cannot read ${what}: "${file}" is ${text === null ? "not there" : "empty"}`,
    `write the ${what.split(" ").at(-1)} into that file, on one line`,
  );
}

function readHeaders(
  file: string | null,
  readFile: (path: string) => string | null,
): ReadonlyMap<string, Secret> {
  const text = file === null ? "" : readFile(file);
  try {
    if (text !== null) return parseHeaderLines(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigError(error.message, `correct "${file}": one header on each line`);
  }
  throw new ConfigError(`Cannot read headers: "${file}" is not there`, "write one on each line");
}

function readTextFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
