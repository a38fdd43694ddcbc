import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the repository lies. */
export const ROOT = join(import.meta.dir, "../..");

/** Where the pages lie. */
export const FOLDER = join(ROOT, "src/docs");

/** A fenced block of a page. */
export interface Block {
  /** As it stands behind the fence; empty if nothing does. */
  readonly language: string;
  readonly code: string;
  /** Whether a remark before it says that it runs as it is. */
  readonly runs: boolean;
}

export interface Page {
  /** Such as `limits.md`. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

const BLOCK = /(<!-- run -->\n)?^```(\w*)\n([^]*?)^```$/gm;

/** Every page, by name. */
export const PAGES: readonly Page[] = readdirSync(FOLDER)
  .sort()
  .map((name) => readPage(name, readFileSync(join(FOLDER, name), "utf8")));

/** Returns a page. @throws {RangeError} If there is none of this name. */
export function pageNamed(name: string): Page {
  const page = PAGES.find((one) => one.name === name);
  if (page === undefined) throw new RangeError(`Cannot find page "${name}": there is none`);
  return page;
}

/** Returns everything in a page that is code: fenced, indented or between backticks. */
export function codeOf({ text, blocks }: Page): string[] {
  const prose = text.replaceAll(BLOCK, "");
  return [
    ...blocks.map(({ code }) => code),
    ...[...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code),
    ...[...prose.matchAll(/^ {4}(inference-proxy .*)$/gm)].map(([, code = ""]) => code),
  ];
}

function readPage(name: string, text: string): Page {
  const blocks = [...text.matchAll(BLOCK)].map(([, run, language = "", code = ""]) => {
    return { language, code, runs: run !== undefined };
  });
  return { name, text, blocks };
}
