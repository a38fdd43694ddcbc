/** What a look at one thing found. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  readonly detail: string;
  /** What to do; null if nothing has to be done. */
  readonly fix: string | null;
}

/** `warn` is what may hurt later or was not meant so; `fail` is what makes calls fail, or the next start. */
export type CheckState = "ok" | "warn" | "fail";

/** All is well. */
export function ok(name: string, detail: string): Check {
  return { name, state: "ok", detail, fix: null };
}

/** It may hurt later, or was not meant so. */
export function warn(name: string, detail: string, fix: string): Check {
  return { name, state: "warn", detail, fix };
}

/** Calls fail by it, or the next start. */
export function fail(name: string, detail: string, fix: string): Check {
  return { name, state: "fail", detail, fix };
}

const TAGS: Readonly<Record<CheckState, string>> = { ok: "[ok]", warn: "[warn]", fail: "[FAIL]" };
const TAG_CHARS = 8;

/** Writes checks one below the other, with what to do under those that need it. */
export function checkLines(checks: readonly Check[]): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length)) + 2;
  const indent = " ".repeat(TAG_CHARS + width);
  return checks
    .flatMap(({ name, state, detail, fix }) => [
      `${TAGS[state].padEnd(TAG_CHARS)}${name.padEnd(width)}${detail}`,
      ...(fix === null ? [] : [`${indent}fix: ${fix}`]),
    ])
    .join("\n");
}

/** Says in one line what the checks come to. */
export function summaryOf(checks: readonly Check[]): string {
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  const parts = [counted(count("fail"), "failure"), counted(count("warn"), "warning")];
  return `${counted(checks.length, "check")}: ${parts.join(", ")}.`;
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
}
