import { RATE_KINDS, type Rates } from "../domain/price.ts";

/** Most calls are charged at the same few rates. */
const written = new WeakMap<Rates, string>();

/** Writes rates as a row of `calls` keeps them. */
export function writeRates(rates: Rates): string {
  let text = written.get(rates);
  if (text === undefined) {
    text = JSON.stringify(rates, [...RATE_KINDS]);
    written.set(rates, text);
  }
  return text;
}

/** Reads rates as they were written. */
export function readRates(text: string): Rates {
  return JSON.parse(text) as Rates;
}
