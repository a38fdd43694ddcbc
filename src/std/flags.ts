import { nearest } from "./nearest.ts";

/** A command line that cannot be read. The message says what is wrong, `fix` what to write instead. */
export class FlagError extends Error {
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

/** What a command line says. */
export interface CommandLine {
  /** The words that are no flags, in their order. */
  readonly words: readonly string[];
  /** The texts given for each flag that was given; a switch has one empty text. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** How a flag is written: `value` takes one, `values` may be repeated, `switch` stands alone. */
export type FlagKind = "value" | "values" | "switch";

/**
 * Reads `--name value`, `--name=value`, `--switch` and words. Of a repeated `value` flag the last one counts.
 * After `--` everything is a word.
 *
 * @throws {FlagError} If there is an unknown flag, or a flag lacks its value or has one too many.
 */
export function readCommandLine(
  argv: readonly string[],
  known: Readonly<Record<string, FlagKind>>,
): CommandLine {
  const words: string[] = [];
  const flags = new Map<string, readonly string[]>();
  const rest = argv.values();
  for (const word of rest) {
    if (word === "--") {
      words.push(...rest);
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      words.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const flag = equals === -1 ? word : word.slice(0, equals);
    const kind = Object.hasOwn(known, flag) ? known[flag] : undefined;
    if (kind === undefined) throw unknownFlag(flag, Object.keys(known));
    const value = equals === -1 ? valueAfter(flag, kind, rest) : word.slice(equals + 1);
    if (kind === "switch" && equals !== -1)
      throw new FlagError(`Cannot read flag ${flag}: it takes no value`, `write ${flag} alone`);
    flags.set(flag, kind === "values" ? [...(flags.get(flag) ?? []), value] : [value]);
  }
  return { words, flags };
}

/**
 * Reads a command line that holds nothing but flags, as {@link readCommandLine} does.
 *
 * @throws {FlagError} If there is a word as well.
 */
export function readFlags(
  argv: readonly string[],
  known: Readonly<Record<string, FlagKind>>,
): ReadonlyMap<string, readonly string[]> {
  const { words, flags } = readCommandLine(argv, known);
  refuseWord(words[0]);
  return flags;
}

/** @throws {FlagError} If there is a word where none belongs. */
export function refuseWord(word: string | undefined): void {
  if (word === undefined) return;
  throw new FlagError(
    `Cannot read command line: unexpected word "${word}"`,
    "see --help for what there is",
  );
}

function valueAfter(flag: string, kind: FlagKind, words: Iterator<string>): string {
  if (kind === "switch") return "";
  const next = words.next();
  if (next.done === true || next.value.startsWith("--"))
    throw new FlagError(`Cannot read flag ${flag}: its value is missing`, `write ${flag} VALUE`);
  return next.value;
}

function unknownFlag(word: string, known: readonly string[]): FlagError {
  const meant = nearest(word, known);
  return new FlagError(
    `Cannot read command line: unknown flag ${word}`,
    meant === null ? "see --help for what there is" : `did you mean ${meant}?`,
  );
}
