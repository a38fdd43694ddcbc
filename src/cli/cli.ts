import { FlagError } from "../std/flags.ts";
import { nearest } from "../std/nearest.ts";
import type { Command } from "./command.ts";
import { demo } from "./demo.ts";
import { EXIT } from "./exit_codes.ts";
import { explainFailure, formatFailure } from "./fatal.ts";
import { serve } from "./serve.ts";
import { version } from "./version_command.ts";

const COMMANDS: readonly Command[] = [serve, demo, version];

/** What people write instead of a command. */
const SPELLINGS: Readonly<Record<string, string>> = {
  "--version": "version",
  "-v": "version",
  "--help": "help",
  "-h": "help",
};

/**
 * Runs a command and returns the exit code. Results go to standard output; what went wrong goes to standard error,
 * as what is, why, and what to do.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  // What is written here is for the user who runs this: keys, passwords, bills.
  process.umask(0o077);
  const [word = "", ...rest] = argv;
  const name = SPELLINGS[word] ?? word;
  try {
    if (name === "help") return help(rest[0]);
    if (name === "") throw new FlagError("Cannot run nothing: a command is missing", helpHint);
    const command = commandOf(name);
    if (rest.includes("--help") || rest.includes("-h")) return help(command.name);
    return await command.run(rest);
  } catch (error) {
    const failure = explainFailure(error);
    console.error(formatFailure(failure));
    return failure.exitCode;
  }
}

const helpHint = "see inference-proxy help";

function help(name: string | undefined): number {
  console.log(name === undefined ? overview() : helpOf(commandOf(name)));
  return EXIT.ok;
}

function commandOf(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name);
  if (command !== undefined) return command;
  const meant = nearest(
    name,
    COMMANDS.map((one) => one.name),
  );
  throw new FlagError(
    `Cannot run "${name}": there is no such command`,
    meant === null ? helpHint : `did you mean ${meant}?`,
  );
}

function overview(): string {
  const commands = COMMANDS.map((one) => `  ${one.name.padEnd(10)}${one.summary}`);
  return [
    "One OpenAI-compatible endpoint in front of several model providers.",
    "",
    "Usage: inference-proxy COMMAND [FLAGS]",
    "",
    ...commands,
    `  ${"help".padEnd(10)}Show this, or what a command takes: help serve`,
  ].join("\n");
}

function helpOf(command: Command): string {
  return [
    `${command.summary}.`,
    "",
    `Usage: inference-proxy ${command.usage}`,
    ...(command.flags.length === 0 ? [] : ["", ...command.flags]),
    "",
    "Examples:",
    ...command.examples.map((example) => `  inference-proxy ${example}`),
  ].join("\n");
}
