import { MICROCENTS_PER_DOLLAR } from "../domain/price.ts";
import { FlagError } from "../std/flags.ts";

const CENTS_PER_DOLLAR = 100;

/** Writes an amount of microcents in dollars: `$1.234567`. */
export function dollars(microcents: number): string {
  return `$${(microcents / MICROCENTS_PER_DOLLAR).toFixed(6)}`;
}

/** Writes an amount of cents in dollars: `$600.00`. */
export function dollarsOfCents(cents: number): string {
  return `$${(cents / CENTS_PER_DOLLAR).toFixed(2)}`;
}

/** Reads dollars, such as `600` or `12.50`, as cents. @throws {FlagError} If the text is no such amount. */
export function readCents(flag: string, text: string): number {
  const [, whole, fraction = ""] = /^\$?(\d{1,10})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (whole !== undefined)
    return Number(whole) * CENTS_PER_DOLLAR + Number(fraction.padEnd(2, "0"));
  throw new FlagError(
    `Cannot read flag ${flag}: "${text}" is no amount of dollars`,
    `write dollars, such as ${flag} 600 or ${flag} 12.50`,
  );
}
