import { RATE_KINDS, RATE_NAMES, type Rates } from "../domain/price.ts";

/** Shows rates, those that there are, with their unit in the name. */
export function ratesView(rates: Rates): Record<string, number> {
  const view: Record<string, number> = {};
  for (const kind of RATE_KINDS) {
    const rate = rates[kind];
    if (rate !== undefined) view[`${RATE_NAMES[kind]}_microcents_per_million_tokens`] = rate;
  }
  return view;
}
