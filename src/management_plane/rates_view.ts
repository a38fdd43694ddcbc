import { RATE_KINDS, RATE_NAMES, type Rates } from "../domain/price.ts";
import type { RateName } from "./openapi/rates.ts";

/** Shows rates, those that there are, with their unit in the name. */
export function ratesView(rates: Rates): Partial<Record<RateName, number>> {
  const view: Partial<Record<RateName, number>> = {};
  for (const kind of RATE_KINDS) {
    const rate = rates[kind];
    if (rate !== undefined) view[`${RATE_NAMES[kind]}_microcents_per_million_tokens`] = rate;
  }
  return view;
}
