import { join, normalize } from "node:path";

/** A file of the repository: its path from the root, with slashes, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Looks at one file and returns a message for each offence. */
export type Check = (source: Source) => string[];

/** Where the repository lies. */
export const ROOT = join(import.meta.dir, "../..");

/** Reads every file under `folders` that matches one of the patterns. */
export async function readSources(
  folders: readonly string[],
  ...patterns: string[]
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const folder of folders) {
    const place = { cwd: join(ROOT, folder), dot: true };
    const names = patterns.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(place)]);
    for (const name of names.sort()) {
      const path = folder === "." ? name : `${folder}/${name}`;
      sources.push({ path, text: await Bun.file(join(ROOT, path)).text() });
    }
  }
  return sources;
}

/** Returns the text with its comments blanked out, so that lines keep their numbers. */
export function codeOf(text: string): string {
  const token =
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (whole, literal?: string) => literal ?? whole.replace(/[^\n]/g, " "));
}

/** Returns the line, from 1, that a place in the text lies on. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Returns the paths that a file imports from the repository, imports of types and deferred ones included. */
export function importsOf(source: Source): string[] {
  const statement = /(?:\bfrom|\bimport|\bimport\()\s*"(\.[^"]+)"/g;
  return [...codeOf(source.text).matchAll(statement)].map(([, target = ""]) =>
    normalize(join(source.path, "..", target)),
  );
}
