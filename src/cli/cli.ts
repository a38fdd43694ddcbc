import { type CommandLine, FlagError, readCommandLine, refuseWord } from "../std/flags.ts";
import { nearest } from "../std/nearest.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { explainFailure, formatFailure } from "./fatal.ts";
import { helpOf, overview, overviewOf, PROGRAM } from "./help.ts";
import { serve } from "./serve.ts";
import { findTopic, topicLines, topicText } from "./topics.ts";

/** What people write instead of a command. */
const SPELLINGS: Readonly<Record<string, string>> = {
  "--version": "version",
  "-v": "version",
  "--help": "help",
  "-h": "help",
};

const helpHint = `see ${PROGRAM} help`;

/**
 * Runs a command and returns the exit code. Results go to standard output; what went wrong goes to standard error,
 * as what is, why, and what to do.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  // What is written here is for the user who runs this: keys, passwords, bills.
  process.umask(0o077);
  const [word = "", ...rest] = argv;
  const words = [SPELLINGS[word] ?? word, ...rest];
  try {
    if (words[0] === "help") return await help(rest);
    if (words[0] === "") throw new FlagError("Cannot run nothing: a command is missing", helpHint);
    if (rest.includes("--help") || rest.includes("-h")) return await help(words);
    const command = await findCommand(words);
    const given = words.slice(command.name.split(" ").length);
    return await command.run(lineOf(command, given));
  } catch (error) {
    const failure = explainFailure(error);
    console.error(formatFailure(failure));
    return failure.exitCode;
  }
}

/** Returns the command that is named. The service is found without loading what only the others need. */
async function findCommand(words: readonly string[]): Promise<Command> {
  return isNamedBy(serve, words) ? serve : commandOf(words, await allCommands());
}

async function allCommands(): Promise<readonly Command[]> {
  const { COMMANDS } = await import("./commands.ts");
  return COMMANDS;
}

/** Shows everything, the commands that begin with a word, one command, or a topic. */
async function help(words: readonly string[]): Promise<number> {
  const commands = await allCommands();
  const [first] = words.filter((word) => !word.startsWith("-"));
  const group = commands.filter((command) => command.name.startsWith(`${first} `));
  const command = commands.find((one) => isNamedBy(one, words));
  const topic = findTopic(first ?? "");
  if (first === undefined) console.log(`${overview(commands)}\n\n${topicLines()}`);
  else if (command === undefined && group.length > 0) console.log(overviewOf(first, group));
  else if (command === undefined && topic !== undefined)
    process.stdout.write(await topicText(topic));
  else console.log(helpOf(command ?? commandOf(words, commands)));
  return EXIT.ok;
}

/** @throws {FlagError} If no command is named so. */
function commandOf(words: readonly string[], commands: readonly Command[]): Command {
  const command = commands.find((one) => isNamedBy(one, words));
  if (command !== undefined) return command;
  const [first = "", second = ""] = words;
  const group = commands.filter((one) => one.name.startsWith(`${first} `));
  if (group.length > 0 && (second === "" || second.startsWith("-")))
    throw new FlagError(
      `Cannot run "${first}": it takes one more word`,
      `write one of ${group.map((one) => one.name).join(", ")}`,
    );
  const typed = group.length === 0 ? first : `${first} ${second}`;
  const meant =
    group.length === 0
      ? nearest(first, [...new Set(commands.map((one) => one.name.split(" ")[0] ?? ""))])
      : nearest(
          typed,
          group.map((one) => one.name),
        );
  throw new FlagError(
    `Cannot run "${typed}": there is no such command`,
    meant === null ? helpHint : `did you mean ${meant}?`,
  );
}

function isNamedBy({ name }: Command, words: readonly string[]): boolean {
  const own = name.split(" ");
  return own.every((word, index) => words[index] === word);
}

/** Reads what follows a command's name. @throws {FlagError} If it takes no such thing, or needs more. */
function lineOf(command: Command, given: readonly string[]): CommandLine {
  const kinds = Object.fromEntries(command.flags.map((flag) => [flag.name, flag.kind]));
  const line = readCommandLine(given, kinds);
  refuseWord(line.words[command.arguments.length]);
  const missing = command.arguments[line.words.length];
  if (missing === undefined || missing.optional) return line;
  throw new FlagError(
    `Cannot run "${command.name}": ${missing.name} is missing`,
    `see ${PROGRAM} ${command.name} --help`,
  );
}
