import { basename } from "node:path";
import { codeOf, importsOf, lineAt, type Source } from "./source.ts";

/** Bounds a file, in lines. */
export const FILE_LINES_MAX = 400;
/** Bounds a function, in lines: what can be read without scrolling twice. */
export const FUNCTION_LINES_MAX = 80;

const DRAWERS = [
  "index.ts",
  "utils.ts",
  "util.ts",
  "helpers.ts",
  "types.ts",
  "common.ts",
  "misc.ts",
];

/** Refuses characters beyond ASCII, which hide in names and texts. */
export function asciiOnly(source: Source): string[] {
  const at = source.text.search(/[^\n\x20-\x7e]/);
  if (at === -1) return [];
  const code = source.text.codePointAt(at)?.toString(16).padStart(4, "0");
  return [`${source.path}:${lineAt(source.text, at)} holds U+${code}. Write it as \\u{${code}}.`];
}

/** Refuses files that are too long to hold one idea. */
export function fileLength(source: Source): string[] {
  const lines = source.text.split("\n").length - 1;
  if (!source.path.startsWith("src/") || lines <= FILE_LINES_MAX) return [];
  return [`${source.path} has ${lines} lines. Split it by idea: ${FILE_LINES_MAX} is the limit.`];
}

/** One function of formatted code and how many lines it takes. */
export interface FunctionLength {
  readonly path: string;
  readonly line: number;
  readonly lines: number;
}

/** Measures each function: from the line that opens its body to the line that closes it at the same depth. */
export function functionLengths(source: Source): FunctionLength[] {
  const lines = codeOf(source.text).split("\n");
  const opens =
    /(\bfunction\b.*|=>|^\s*\)(: [^=]+)?|^\s+(?!if|for|while|switch|catch)[\w# ]+\(.*\).*) \{$/;
  return lines.flatMap((line, index) => {
    if (!opens.test(line)) return [];
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const end = lines.findIndex((later, at) => at > index && later.startsWith(`${indent}}`));
    return end === -1 ? [] : [{ path: source.path, line: index + 1, lines: end - index + 1 }];
  });
}

/** Refuses functions that nobody reads to their end. */
export function functionLength(source: Source): string[] {
  if (!source.path.startsWith("src/")) return [];
  return functionLengths(source)
    .filter((one) => one.lines > FUNCTION_LINES_MAX)
    .map(
      (one) =>
        `${one.path}:${one.line} is a function of ${one.lines} lines. ` +
        `Give its parts names of their own: ${FUNCTION_LINES_MAX} is the limit.`,
    );
}

/** Refuses names that say nothing, because anything can be put into such a file. */
export function noDrawers(source: Source): string[] {
  if (!DRAWERS.includes(basename(source.path))) return [];
  return [`${source.path} is named after no idea. Name it after the one thing it holds.`];
}

/** Refuses names in any other case than the house's. */
export function snakeCaseName(source: Source): string[] {
  if (/^[a-z0-9_]+(\.d)?\.ts$/.test(basename(source.path))) return [];
  return [`${source.path} is not named in snake_case. Rename it.`];
}

/** Refuses exported functions and classes that do not say what they do. */
export function docComments(source: Source): string[] {
  if (!source.path.startsWith("src/")) return [];
  const lines = source.text.split("\n");
  return lines.flatMap((line, index) => {
    if (!/^export (async )?(function|class)\b/.test(line)) return [];
    // Overloads share the comment of the first.
    const before = lines[index - 1] ?? "";
    if (before.endsWith("*/") || /^export (async )?function .*;$/.test(before)) return [];
    return [
      `${source.path}:${index + 1} exports without a doc comment. Say what it does above it.`,
    ];
  });
}

/** Whether a file does something when it runs, rather than only naming types. */
export function hasCode(source: Source): boolean {
  return /^(export )?(default )?(async )?(abstract )?(function|class|const|let)\b/m.test(
    source.text,
  );
}

/**
 * Refuses source files without a test at the mirrored path, and exceptions that are none.
 *
 * @param exceptions Files and folders (with a closing slash) and why they have no mirrored tests.
 */
export function missingTests(
  sources: readonly Source[],
  tests: ReadonlySet<string>,
  exceptions: Readonly<Record<string, string>>,
): string[] {
  const testOf = (path: string) => path.replace(/^src\//, "test/").replace(/\.ts$/, "_test.ts");
  const missing = sources
    .filter((source) => hasCode(source) && !tests.has(testOf(source.path)))
    .map((source) => source.path);
  const excepts = (place: string, path: string) =>
    place.endsWith("/") ? path.startsWith(place) : path === place;
  const places = Object.keys(exceptions);
  return [
    ...missing
      .filter((path) => !places.some((place) => excepts(place, path)))
      .map((path) => `${path} has no test. Write ${testOf(path)}.`),
    ...places
      .filter((place) => !missing.some((path) => excepts(place, path)))
      .map((place) => `${place} is excepted from having a test for nothing. Drop the exception.`),
  ];
}

/**
 * Refuses source files that no other source file imports.
 *
 * @param entries Paths where a program begins.
 */
export function deadFiles(sources: readonly Source[], entries: RegExp): string[] {
  const imported = new Set(sources.flatMap(importsOf));
  return sources
    .filter((source) => !imported.has(source.path) && !entries.test(source.path))
    .map((source) => `${source.path} is imported by nothing. Delete it.`);
}

/** Refuses differences between the migrations in the folder and those in the registry, order included. */
export function unregistered(files: readonly string[], registered: readonly string[]): string[] {
  const names = files.map((path) => basename(path, ".ts")).filter((name) => name !== "registry");
  if (names.sort().join() === registered.join()) return [];
  return [
    `migrations/registry.ts lists ${registered.join(", ")}, the folder holds ${names.join(", ")}. ` +
      "List every file, oldest first.",
  ];
}

/** Refuses addresses of package registries: where packages come from is each machine's own business. */
export function registryAddresses(source: Source): string[] {
  const at = source.text.search(
    /"resolved":|\bhttps?:\/\/[^\s"/]*(registry|artifactory|nexus)|_authToken/i,
  );
  if (at === -1) return [];
  return [
    `${source.path}:${lineAt(source.text, at)} names a package registry. ` +
      "Leave it out: npm is told by the machine's own configuration.",
  ];
}

/** Refuses paths of one machine and numbers of discussions that a reader of the repository cannot see. */
export function foreignPlaces(source: Source): string[] {
  const at = source.text.search(
    /(^|[\s"'`(])\/(work|home|root|Users)\/|\b(issue|ticket|PR) #?\d+\b/i,
  );
  if (at === -1) return [];
  return [
    `${source.path}:${lineAt(source.text, at)} speaks of a place outside the repository. ` +
      "Say what is so, not where it was said.",
  ];
}
