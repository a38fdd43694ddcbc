/** The product broke a promise. Its message says which, and what was seen. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** @throws {Violation} If there are faults, with the first few of them. */
export function mustHold(what: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const shown = faults.slice(0, 5).join("\n  ");
  const more = faults.length > 5 ? `\n  and ${faults.length - 5} more` : "";
  throw new Violation(`${what}:\n  ${shown}${more}`);
}
