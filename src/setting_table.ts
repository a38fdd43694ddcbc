import { formatHostPort, parseHostPort } from "./std/host_port.ts";
import { parseIpAddress } from "./std/ip_address.ts";
import { type IpRange, parseIpRange } from "./std/ip_range.ts";
import { ipScope } from "./std/ip_scope.ts";
import type { Level } from "./std/log.ts";
import { parseOtlpEndpoint } from "./std/otlp_exporter.ts";
import { parseOwnHost } from "./std/own_host.ts";
import type { Synchronous } from "./store/sqlite.ts";

/** One thing that an operator may set: by flag, else by environment, else its default. */
export interface Setting {
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
export const SETTINGS = {
  listen: {
    flag: "--listen",
    value: "HOST:PORT",
    default: "127.0.0.1:8080",
    help: "Where to listen; port 0 takes any free port",
    parse: parseHostPort,
  },
  hostNames: {
    flag: "--host-name",
    value: "HOST[:PORT]",
    default: "",
    help: "A name under which the management plane is asked, beside localhost and addresses",
    parse: (text: string) => listOf(text).map(parseOwnHost),
    repeatable: true,
  },
  trustedProxies: {
    flag: "--trusted-proxy",
    value: "ADDRESS[/BITS]",
    default: "",
    help: "A reverse proxy that says in X-Forwarded-For whom it asks for; nobody else is believed",
    parse: (text: string) => listOf(text).map(proxyRange),
    repeatable: true,
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
    help: "A further host that provider configs may name; plain http and private addresses are fine there",
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
  bodyMemoryBytes: {
    flag: "--body-memory-mb",
    value: "MB",
    default: "512",
    help: "How much of request bodies may be in memory at once, in megabytes",
    parse: wholeNumber(1, 1024 * 1024, 1024 * 1024),
  },
  memoryLimitBytes: {
    flag: "--memory-limit-mb",
    value: "MB|auto",
    default: "auto",
    help: "Resident memory above which calls are refused, in megabytes; auto is 80 % of what the service may use, 0 no limit",
    parse: (text: string) =>
      text === "auto" ? null : wholeNumber(0, 1024 * 1024, 1024 * 1024)(text),
  },
  concurrency: {
    flag: "--concurrency",
    value: "CALLS",
    default: "8000",
    help: "How many calls are served at once; one organization has at most three quarters of them",
    parse: wholeNumber(1, 60_000, 1),
  },
  keyConcurrency: {
    flag: "--key-concurrency",
    value: "CALLS",
    default: "5000",
    help: "How many calls of one inference key are served at once",
    parse: wholeNumber(1, 60_000, 1),
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
  answerTimeLimitMs: {
    flag: "--answer-time-limit-s",
    value: "SECONDS",
    default: "3600",
    help: "How long a provider's answer may go on once it has begun",
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
  accessLog: {
    flag: "--access-log",
    value: "on|off",
    default: "on",
    help: "Whether the log has a line for every call: sizes, times and cost, never what was said",
    parse: oneOf("on", "off"),
  },
  metricsTokenFile: {
    flag: "--metrics-token-file",
    value: "FILE",
    default: "",
    help: "The bearer token with which /metrics may be read from other machines; else loopback only",
    parse: textOrNull,
  },
  otlpEndpoint: {
    flag: "--otlp-endpoint",
    value: "URL",
    default: "",
    help: "An OpenTelemetry collector to send traces to, such as http://127.0.0.1:4318",
    parse: (text: string) => (text === "" ? null : parseOtlpEndpoint(text)),
  },
  otlpHeadersFile: {
    flag: "--otlp-headers-file",
    value: "FILE",
    default: "",
    help: "Headers for that collector, one Name: value on each line",
    parse: textOrNull,
  },
} as const satisfies Record<string, Setting>;

function hostPorts(text: string): string[] {
  return listOf(text).map((one) => {
    const address = parseHostPort(one);
    const bytes = parseIpAddress(address.host);
    if (bytes === null || ipScope(bytes) !== "never") return formatHostPort(address);
    throw new SyntaxError(`Cannot allow "${one}": no provider is at such an address`);
  });
}

function proxyRange(text: string): IpRange {
  const range = parseIpRange(text);
  if (range.bits > 0) return range;
  throw new SyntaxError(`Cannot trust "${text}": everybody is in it`);
}

function listOf(text: string): string[] {
  const values = text.split(",").map((one) => one.trim());
  return values.filter((one) => one !== "");
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
