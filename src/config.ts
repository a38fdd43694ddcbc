import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FlagError, type FlagKind, readFlags } from "./std/flags.ts";
import { formatHostPort, parseHostPort } from "./std/host_port.ts";
import type { Level } from "./std/log.ts";
import { nearest } from "./std/nearest.ts";
import { Secret } from "./std/secret.ts";
import type { Synchronous } from "./store/sqlite.ts";

/** One thing that an operator may set: by flag, else by environment, else its default. */
interface Setting {
  readonly flag: `--${string}`;
  /** What stands for the value in help, such as `HOST:PORT`. */
  readonly value: string;
  /** As it would be written; empty if there is none. */
  readonly default: string;
  readonly help: string;
  /** @throws {SyntaxError} If the text is no such value. */
  readonly parse: (text: string) => unknown;
  /** Whether the flag may be repeated; the environment separates values by commas. */
  readonly repeatable?: true;
}

/** Every setting. Flags, environment names, help and the documentation come from this table. */
const SETTINGS = {
  listen: {
    flag: "--listen",
    value: "HOST:PORT",
    default: "127.0.0.1:8080",
    help: "Where to listen; port 0 takes any free port",
    parse: parseHostPort,
  },
  dataDir: {
    flag: "--data-dir",
    value: "DIR",
    default: "./data",
    help: "Where the database lives; created if missing",
    parse: (text: string) => text,
  },
  allowUpstream: {
    flag: "--allow-upstream",
    value: "HOST:PORT",
    default: "",
    help: "A further host that provider configs may name, plain http included",
    parse: hostPorts,
    repeatable: true,
  },
  masterKeyFile: {
    flag: "--master-key-file",
    value: "FILE",
    default: "",
    help: "The key that seals provider keys; else master.key in the data directory",
    parse: textOrNull,
  },
  adminPasswordFile: {
    flag: "--admin-password-file",
    value: "FILE",
    default: "",
    help: "The first password of the user admin, for the first start",
    parse: textOrNull,
  },
  upstreamErrors: {
    flag: "--upstream-errors",
    value: "wrapped|passthrough",
    default: "wrapped",
    help: "Answer a provider's error as 502 with the error inside, or with its own status",
    parse: oneOf("wrapped", "passthrough"),
  },
  unpriced: {
    flag: "--unpriced",
    value: "fallback|refuse",
    default: "fallback",
    help: "Charge a model without a price at the fallback rate, or refuse it",
    parse: oneOf("fallback", "refuse"),
  },
  synchronous: {
    flag: "--synchronous",
    value: "full|normal",
    default: "full",
    help: "Whether a commit survives a power cut, or only a killed process",
    parse: oneOf<Synchronous>("full", "normal"),
  },
  bodyBytesMax: {
    flag: "--body-limit-mb",
    value: "MB",
    default: "32",
    help: "The largest request body, in megabytes",
    parse: wholeNumber(1, 1024, 1024 * 1024),
  },
  upstreamHeadersTimeoutMs: {
    flag: "--upstream-headers-timeout-s",
    value: "SECONDS",
    default: "600",
    help: "How long a provider may take until its answer begins",
    parse: wholeNumber(1, 86_400, 1000),
  },
  upstreamIdleTimeoutMs: {
    flag: "--upstream-idle-timeout-s",
    value: "SECONDS",
    default: "300",
    help: "How long a provider's answer may pause",
    parse: wholeNumber(1, 86_400, 1000),
  },
  drainTimeoutMs: {
    flag: "--drain-timeout-s",
    value: "SECONDS",
    default: "90",
    help: "How long calls in flight may go on after SIGTERM",
    parse: wholeNumber(0, 86_400, 1000),
  },
  callRetentionMs: {
    flag: "--call-retention-days",
    value: "DAYS",
    default: "30",
    help: "How long the record of each call is kept; what they add up to stays",
    parse: wholeNumber(1, 36_500, 86_400_000),
  },
  logLevel: {
    flag: "--log-level",
    value: "LEVEL",
    default: "info",
    help: "debug, info, warn or error",
    parse: oneOf<Level>("debug", "info", "warn", "error"),
  },
  logFormat: {
    flag: "--log-format",
    value: "auto|human|json",
    default: "auto",
    help: "How to write the log; auto writes for people on a terminal",
    parse: oneOf("auto", "human", "json"),
  },
} as const satisfies Record<string, Setting>;

type Name = keyof typeof SETTINGS;
type Values = { readonly [N in Name]: ReturnType<(typeof SETTINGS)[N]["parse"]> };

/** What the operator decided, fixed for the life of the process. One member per row of the table, but for secrets. */
export interface Config extends Omit<Values, "masterKeyFile" | "adminPasswordFile"> {
  readonly masterKey: {
    readonly path: string;
    /** False if systemd hands the key over: then it is never made here. */
    readonly mayCreate: boolean;
  };
  /** Null if the operator gave none: then first start makes one up. */
  readonly adminPassword: Secret | null;
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
  readonly flag: string;
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
  refuseUnknownNames(environment);
  const flags = readFlags(argv, flagKinds());
  const entries = Object.entries<Setting>(SETTINGS);
  const { masterKeyFile, adminPasswordFile, ...values } = Object.fromEntries(
    entries.map(([name, setting]) => [name, valueOf(setting, flags, environment)]),
  ) as Values;
  return {
    ...values,
    masterKey: masterKeyPlace(masterKeyFile, values.dataDir, environment, readFile),
    adminPassword: readPassword(adminPasswordFile, environment, readFile),
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

function valueOf(
  setting: Setting,
  flags: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
): unknown {
  const flagged = flags.get(setting.flag)?.join(",");
  const name = environmentName(setting.flag);
  // A service manager's file can only blank a variable out, not unset it.
  const text = flagged ?? (environment[name] || setting.default);
  try {
    return setting.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const fix = `write ${flagged === undefined ? `${name}=` : `${setting.flag} `}${setting.value}`;
    throw flagged === undefined
      ? new ConfigError(error.message, fix)
      : new FlagError(error.message, fix);
  }
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
  const text = file === null ? environment[PASSWORD] || null : readFile(file);
  if (text === null && file === null) return null;
  const password = text?.replace(/\r?\n$/, "") ?? "";
  if (password !== "") return new Secret(password);
  throw new ConfigError(
    `Cannot read admin password: "${file}" is ${text === null ? "not there" : "empty"}`,
    "write the password into that file, on one line",
  );
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

function hostPorts(text: string): string[] {
  const addresses = text.split(",").filter((one) => one.trim() !== "");
  return addresses.map((one) => formatHostPort(parseHostPort(one.trim())));
}

function textOrNull(text: string): string | null {
  return text === "" ? null : text;
}

function oneOf<Word extends string>(...words: Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((one) => one === text);
    if (word !== undefined) return word;
    throw new SyntaxError(`Cannot understand "${text}": expected ${words.join(" or ")}`);
  };
}

function wholeNumber(least: number, most: number, unit: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number * unit;
    throw new SyntaxError(
      `Cannot understand "${text}": expected a whole number from ${least} to ${most}`,
    );
  };
}
