import { formatModelName } from "../domain/provider.ts";
import { type FoundPrice, findPrice, priceOrFallback } from "../providers/price_book.ts";
import type { Target } from "./route.ts";

/** A price as found for a call, and what the host charges in percent of it. */
export interface CallPrice extends FoundPrice {
  readonly percent: number;
}

/**
 * Finds a target's price: the organization's own for the model asked for, or for the one that was served;
 * else the catalogue's for the model served, or for the one asked for; else the fallback.
 *
 * @param servedModel As the provider said it; null as long as it has not.
 */
export function priceOf(
  target: Pick<Target, "provider" | "upstreamModel" | "pricePercent" | "prices">,
  servedModel: string | null,
  atMs: number,
): CallPrice {
  const own =
    ownPrice(target, target.upstreamModel, atMs) ??
    (servedModel === null ? null : ownPrice(target, servedModel, atMs));
  if (own !== null) return own;
  const { provider, upstreamModel, pricePercent: percent } = target;
  const served = servedModel === null ? null : findPrice(provider.id, servedModel, atMs);
  return { ...(served ?? priceOrFallback(provider.id, upstreamModel, atMs)), percent };
}

/** Returns what the organization says of a model; null if it says nothing. */
function ownPrice(
  { provider, prices, pricePercent }: Pick<Target, "provider" | "pricePercent" | "prices">,
  model: string,
  atMs: number,
): CallPrice | null {
  // Most organizations have no prices of their own, and need no names built.
  if (prices.size === 0) return null;
  const own = prices.get(formatModelName({ provider: provider.id, model }));
  if (own === undefined) return null;
  if ("rates" in own) {
    // Whoever gives a price knows what the host charges.
    return { price: own.rates, priceId: own.id, fallback: false, percent: 100 };
  }
  const found = findPrice(own.aliasOf.provider, own.aliasOf.model, atMs);
  return found === null ? null : { ...found, percent: pricePercent };
}
