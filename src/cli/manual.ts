import { VERSION } from "../version.ts";
import type { Argument, Command, Flag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { PROGRAM, usageOf } from "./help.ts";
import { PLACES } from "./systemd/places.ts";

/** Creates the command that prints the manual page. */
export function manualOf(commands: () => readonly Command[]): Command {
  return {
    name: "manual",
    group: "Other",
    summary: "Print the manual page, for man",
    arguments: [],
    flags: [],
    examples: ["manual | man -l -", "manual > /usr/local/share/man/man1/inference-proxy.1"],
    run: async () => {
      process.stdout.write(manualPage(commands(), { version: VERSION, date: "" }));
      return EXIT.ok;
    },
  };
}

/**
 * Writes the manual page, in the man macros of roff.
 *
 * @param about.date When the version was released, as in `2026-06-01`; empty if that is not known.
 */
export function manualPage(
  commands: readonly Command[],
  about: { readonly version: string; readonly date: string },
): string {
  const lines = [
    `.TH "${escape(PROGRAM.toUpperCase())}" "1" "${about.date}" "Inference Proxy ${about.version}"`,
    // Names of variables are not to be cut, nor lines to be stretched.
    ".nh",
    ".ad l",
    ...introduction(),
    macro("SH", "COMMANDS"),
    ...commands.flatMap(commandLines),
    ...exitStatus(),
    ...files(),
    macro("SH", "SEE ALSO"),
    `${bold("systemctl")}(1), ${bold("journalctl")}(1)`,
  ];
  return `${lines.join("\n")}\n`;
}

const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "It is done",
  usage: "The command line cannot be understood",
  data: "The database is damaged or newer than the program, or contradicts what was asked for",
  missing: "What was named does not exist",
  unavailable: "The address is taken or not to be had",
  software: "A bug",
  disk: "The disk is full or failing",
  locked: "Another process has the data directory",
  permission: "This user may not do that",
  configuration: "The configuration or the master key is at fault",
};

const FILES: readonly (readonly [path: string, what: string])[] = [
  [PLACES.settings, "Settings of the service, one NAME=value on each line"],
  [PLACES.masterKey, "The key of the service that seals provider keys"],
  [PLACES.dataDir, "The database of the service"],
  [PLACES.unit, "The unit of the service"],
];

function introduction(): string[] {
  return [
    macro("SH", "NAME"),
    `${escape(PROGRAM)} \\- one OpenAI-compatible endpoint in front of several model providers`,
    macro("SH", "SYNOPSIS"),
    `${bold(PROGRAM)} ${italic("COMMAND")} [${italic("FLAGS")}]`,
    ".br",
    `${bold(PROGRAM)} ${bold("help")} [${italic("COMMAND")}|${italic("TOPIC")}]`,
    macro("SH", "DESCRIPTION"),
    "Programs call the proxy with any OpenAI client, an inference key, and models named as provider/model.",
    "The proxy calls the provider with the provider's key, keeps to the limits of the inference key and of the",
    "organization, and records what each call cost.",
    macro("PP"),
    "A flag with a variable may be given by either; the flag counts.",
    "Every command takes",
    bold("--help"),
    "and shows what stands here.",
  ];
}

function commandLines(command: Command): string[] {
  const usage = usageOf(command).slice(PROGRAM.length + 1);
  return [
    macro("SS", usage),
    `${escape(command.summary)}.`,
    ...command.arguments.flatMap(argumentLines),
    ...command.flags.flatMap(flagLines),
    ...(command.notes === undefined ? [] : [macro("PP"), ...command.notes.map(escape)]),
    macro("PP"),
    ".EX",
    ...command.examples.map((example) => escape(`${PROGRAM} ${example}`)),
    ".EE",
  ];
}

function argumentLines({ name, help }: Argument): string[] {
  return [macro("TP"), italic(name), `${escape(help)}.`];
}

function flagLines(flag: Flag): string[] {
  const value = flag.value === "" ? "" : ` ${italic(flag.value)}`;
  const unset = flag.default ? [`Default: ${escape(flag.default)}.`] : [];
  const variable = flag.environment === undefined ? [] : [`Variable: ${bold(flag.environment)}.`];
  return [
    macro("TP"),
    `${bold(flag.name)}${value}`,
    `${escape(flag.help)}.`,
    ...unset,
    ...variable,
  ];
}

function exitStatus(): string[] {
  const codes = Object.entries(EXIT_MEANINGS) as [keyof typeof EXIT, string][];
  const lines = codes.flatMap(([name, meaning]) => [
    macro("TP"),
    bold(`${EXIT[name]}`),
    `${meaning}.`,
  ]);
  return [macro("SH", "EXIT STATUS"), ...lines];
}

function files(): string[] {
  const lines = FILES.flatMap(([path, what]) => [macro("TP"), italic(path), `${escape(what)}.`]);
  return [macro("SH", "FILES"), ...lines];
}

function macro(name: string, ...words: readonly string[]): string {
  const quoted = words.map((word) => ` "${escape(word).replaceAll('"', "\\(dq")}"`);
  return `.${name}${quoted.join("")}`;
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

/** Characters that roff reads or prints as something else: hyphens for minus signs, quotes that curl. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Keeps roff from reading more into a text than it says. A point at the beginning would be a request. */
function escape(text: string): string {
  return text.replaceAll(/[\\\-'`^~]/g, (one) => ESCAPES[one] ?? one).replace(/^\./, "\\&.");
}
