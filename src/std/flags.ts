import { nearest } from "./nearest.ts";

/** A command line that cannot be read. The message says what is wrong, `fix` what to write instead. */
export class FlagError extends Error {
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

/** How a flag is written: `value` takes one, `values` may be repeated, `switch` stands alone. */
export type FlagKind = "value" | "values" | "switch";

/**
 * Reads `--name value`, `--name=value` and `--switch`. Of a repeated `value` flag the last one counts.
 *
 * @returns The texts given for each flag that was given; a switch has one empty text.
 * @throws {FlagError} If a word is no known flag, or a flag lacks its value or has one too many.
 */
export function readFlags(
  argv: readonly string[],
  known: Readonly<Record<string, FlagKind>>,
): Map<string, string[]> {
  const given = new Map<string, string[]>();
  const words = argv.values();
  for (const word of words) {
    const equals = word.indexOf("=");
    const flag = equals === -1 ? word : word.slice(0, equals);
    const kind = Object.hasOwn(known, flag) ? known[flag] : undefined;
    if (kind === undefined) throw unknownFlag(flag, Object.keys(known));
    const value = equals === -1 ? valueAfter(flag, kind, words) : word.slice(equals + 1);
    if (kind === "switch" && equals !== -1)
      throw new FlagError(`Cannot read flag ${flag}: it takes no value`, `write ${flag} alone`);
    given.set(flag, kind === "values" ? [...(given.get(flag) ?? []), value] : [value]);
  }
  return given;
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
  const what = word.startsWith("-") ? `unknown flag ${word}` : `unexpected word "${word}"`;
  return new FlagError(
    `Cannot read command line: ${what}`,
    meant === null ? "see --help for what there is" : `did you mean ${meant}?`,
  );
}
