import { explainFailure } from "../fatal.ts";
import { type Check, fail } from "./check.ts";

/** Says of a look that could not be taken what kept it from that, as the command line says it of commands. */
export function failedCheck(name: string, error: unknown): Check {
  const { what, facts } = explainFailure(error);
  const why = facts.filter(([fact]) => fact !== "fix" && fact !== "where" && fact !== "code");
  const fix = facts.find(([fact]) => fact === "fix")?.[1] ?? "report it with what is said here";
  return fail(name, [what, ...why.map(([fact, text]) => `${fact}: ${text}`)].join("; "), fix);
}
