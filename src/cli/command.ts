import type { CommandLine, FlagKind } from "../std/flags.ts";

/** What may stand on a command line beside flags. */
export interface Argument {
  /** As help shows it: `PATH|-`. */
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
}

/** What may be said about how a command runs. */
export interface Flag {
  readonly name: `--${string}`;
  readonly kind: FlagKind;
  /** What stands for the value in help, such as `HOST:PORT`; empty for a switch. */
  readonly value: string;
  readonly help: string;
  /** Empty if there is none. */
  readonly default?: string;
  /** The variable that says the same, if there is one. */
  readonly environment?: string;
}

/** What commands are about, in the order of help. */
export const GROUPS = ["Run", "People", "Providers and keys", "Money", "Care", "Other"] as const;

/** One command and what it does. Help, completions and the manual page are made from these. */
export interface Command {
  /** One word, or two: `key create`. */
  readonly name: string;
  readonly group: (typeof GROUPS)[number];
  /** One sentence without its full stop. */
  readonly summary: string;
  readonly arguments: readonly Argument[];
  readonly flags: readonly Flag[];
  /** What help says after the flags, line by line. */
  readonly notes?: readonly string[];
  /** What follows the name of the program. */
  readonly examples: readonly string[];
  /** Runs it and returns the exit code. Failures are thrown. */
  run(line: CommandLine): Promise<number>;
}

/** Returns a flag that stands alone. */
export function switchFlag(name: Flag["name"], help: string): Flag {
  return { name, kind: "switch", value: "", help };
}

/** Returns a flag with a value. */
export function valueFlag(name: Flag["name"], value: string, help: string, unset = ""): Flag {
  return { name, kind: "value", value, help, default: unset };
}

/** Makes a command print data as JSON, for programs. */
export const JSON_FLAG = switchFlag("--json", "Print JSON");
