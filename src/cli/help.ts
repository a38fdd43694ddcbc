import { type Argument, type Command, type Flag, GROUPS } from "./command.ts";

/** The name that people type. */
export const PROGRAM = "inference-proxy";

/** What help says of itself. */
const HELP = { name: "help", summary: "Show this, or what a command takes: help serve" };

/** Says what the program is and lists its commands, group by group. */
export function overview(commands: readonly Command[]): string {
  const width = widthOf([...commands, HELP]);
  const groups = GROUPS.map((group) => {
    const own = commands.filter((command) => command.group === group);
    const lines = [...own, ...(group === "Other" ? [HELP] : [])].map((one) => lineOf(one, width));
    return [`${group}:`, ...lines].join("\n");
  });
  return [
    "One OpenAI-compatible endpoint in front of several model providers.",
    `Usage: ${PROGRAM} COMMAND [FLAGS]`,
    ...groups,
  ].join("\n\n");
}

/** Lists the commands that begin with the same word. */
export function overviewOf(word: string, commands: readonly Command[]): string {
  const width = widthOf(commands);
  return [
    `Usage: ${PROGRAM} ${word} VERB [FLAGS]`,
    commands.map((one) => lineOf(one, width)).join("\n"),
    `What each takes: ${PROGRAM} ${word} VERB --help`,
  ].join("\n\n");
}

type Listed = Pick<Command, "name" | "summary">;

function widthOf(commands: readonly Listed[]): number {
  return Math.max(...commands.map(({ name }) => name.length)) + 2;
}

function lineOf({ name, summary }: Listed, width: number): string {
  return `  ${name.padEnd(width)}${summary}`;
}

/** Says what a command does and what it takes. */
export function helpOf(command: Command): string {
  const taken = [...command.arguments.map(argumentLines), ...command.flags.map(flagLines)].flat();
  return [
    `${command.summary}.`,
    "",
    `Usage: ${usageOf(command)}`,
    ...(taken.length === 0 ? [] : ["", ...taken]),
    ...(command.notes === undefined ? [] : ["", ...command.notes]),
    "",
    "Examples:",
    ...command.examples.map((example) => `  ${PROGRAM} ${example}`),
  ].join("\n");
}

/** Returns how a command is written. */
export function usageOf(command: Command): string {
  const words = command.arguments.map(({ name, optional }) => (optional ? `[${name}]` : name));
  const flags = command.flags.length === 0 ? [] : ["[FLAGS]"];
  return [PROGRAM, command.name, ...words, ...flags].join(" ");
}

function argumentLines({ name, help }: Argument): string[] {
  return [`  ${name}`, `      ${help}`];
}

function flagLines(flag: Flag): string[] {
  const value = flag.value === "" ? "" : ` ${flag.value}`;
  const unset = flag.default ? ` (default ${flag.default})` : "";
  return [
    `  ${flag.name}${value}${unset}`,
    `      ${flag.help}`,
    ...(flag.environment === undefined ? [] : [`      ${flag.environment}`]),
  ];
}
