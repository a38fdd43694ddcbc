import { FlagError, readFlags } from "../../std/flags.ts";

/** The parts of the benchmark, in their order. */
export const PARTS = [
  "generator",
  "chat",
  "streams",
  "anthropic",
  "embeddings",
  "many-streams",
  "start",
  "growth",
  "ledger",
] as const;

export type Part = (typeof PARTS)[number];

/** What the quick form measures: the load generator has been held against wrk before. */
const QUICK_PARTS = PARTS.filter((part) => part !== "generator");

/** What to measure, and for how long. */
export interface Options {
  readonly binary: string;
  readonly parts: readonly Part[];
  /** How often each figure is taken. */
  readonly rounds: number;
  /** How long a run takes that has no other end, in seconds. */
  readonly seconds: number;
  /** The recorded calls of the large database. */
  readonly rows: number;
  readonly portkey: boolean;
  /** Another build of the proxy, to be measured beside; null if there is none. */
  readonly against: string | null;
}

/** How to say it. */
export const USAGE = `usage: bench BINARY [--only PART,PART] [--long] [--rows N] [--against BINARY] [--portkey]
parts: ${PARTS.join(", ")}`;

/** Reads the command line. @throws {FlagError} If it cannot be understood. */
export function readOptions(argv: readonly string[]): Options {
  const [binary, ...rest] = argv;
  if (binary === undefined || binary.startsWith("-")) {
    throw new FlagError("Cannot measure: no binary is named", "name it first");
  }
  const flags = readFlags(rest, {
    "--only": "value",
    "--rows": "value",
    "--against": "value",
    "--long": "switch",
    "--portkey": "switch",
  });
  const long = flags.has("--long");
  return {
    binary,
    parts: partsOf(flags.get("--only")?.[0]) ?? (long ? PARTS : QUICK_PARTS),
    rounds: long ? 9 : 5,
    seconds: long ? 3 : 0.8,
    rows: rowsOf(flags.get("--rows")?.[0]) ?? (long ? 10_000_000 : 1_000_000),
    portkey: flags.has("--portkey"),
    against: flags.get("--against")?.[0] ?? null,
  };
}

function partsOf(text: string | undefined): readonly Part[] | null {
  if (text === undefined) return null;
  const wanted = text.split(",");
  const unknown = wanted.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined)
    throw new FlagError(`Cannot measure "${unknown}": no such part`, PARTS.join(", "));
  return PARTS.filter((part) => wanted.includes(part));
}

function rowsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new FlagError(`Cannot understand "${text}": expected a number of rows`, "--rows 1000000");
}
