import type { Argument, Command, Flag } from "./command.ts";

/** The name that people type. */
export const PROGRAM = "inference-proxy";

/** Says what the program is and lists its commands. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length)) + 2;
  const lines = commands.map((one) => `  ${one.name.padEnd(width)}${one.summary}`);
  return [
    "One OpenAI-compatible endpoint in front of several model providers.",
    "",
    `Usage: ${PROGRAM} COMMAND [FLAGS]`,
    "",
    ...lines,
    `  ${"help".padEnd(width)}Show this, or what a command takes: help serve`,
  ].join("\n");
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
