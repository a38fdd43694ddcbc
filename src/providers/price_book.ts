import { MICROCENTS_PER_DOLLAR, type Price } from "../domain/price.ts";
import type { ProviderId } from "../domain/provider.ts";
import { BoundedMap } from "../std/bounded_map.ts";
import { lazy } from "../std/lazy.ts";
import json from "./prices.json" with { type: "text" };

/** A price and the UTC day from which it holds; without a day it holds from the beginning. */
export interface DatedPrice extends Price {
  readonly from?: string;
}

/** What `prices.json` holds. It is written by `src/tools/make_prices.ts`. */
export interface Catalogue {
  readonly about: string;
  readonly source: string;
  /** The licence of the source, which its copies must carry. */
  readonly license: string;
  /** The day that the source was published. */
  readonly priced_as_of: string;
  /** Per provider and exact model id its prices, oldest first. */
  readonly providers: Readonly<Record<ProviderId, Readonly<Record<string, readonly DatedPrice[]>>>>;
}

/** A price as found for a call. */
export interface FoundPrice {
  readonly price: Price;
  /** Names the price in the ledger: `provider/model@day-of-the-catalogue`, or `fallback`. */
  readonly priceId: string;
  /** True if the model has no price of its own. */
  readonly fallback: boolean;
}

/** The committed catalogue. It is embedded as text, for parsing it is faster than running it as a part of the program. */
export const catalogue = lazy(() => JSON.parse(json as unknown as string) as Catalogue);

/**
 * What a model without a price is charged at: the dearest rates of the flagships of 2026 (Claude Fable 5,
 * GPT-6 Astra, GPT Audio), their long-context rates from the lowest threshold that any of them had, and no
 * discount for cache reads. Only "pro" and retired models cost more. Charging too much trips a cost circuit
 * early, which an operator notices and mends with a price of their own; charging too little goes unnoticed.
 */
export const FALLBACK_PRICE: Price = {
  input: 10 * MICROCENTS_PER_DOLLAR,
  output: 50 * MICROCENTS_PER_DOLLAR,
  cacheWrite: 12.5 * MICROCENTS_PER_DOLLAR,
  cacheWrite1h: 20 * MICROCENTS_PER_DOLLAR,
  inputAudio: 32 * MICROCENTS_PER_DOLLAR,
  outputAudio: 64 * MICROCENTS_PER_DOLLAR,
  tiers: [
    {
      above: 200_000,
      input: 20 * MICROCENTS_PER_DOLLAR,
      output: 75 * MICROCENTS_PER_DOLLAR,
      cacheWrite: 25 * MICROCENTS_PER_DOLLAR,
      cacheWrite1h: 40 * MICROCENTS_PER_DOLLAR,
      inputAudio: 64 * MICROCENTS_PER_DOLLAR,
      outputAudio: 96 * MICROCENTS_PER_DOLLAR,
    },
  ],
};

const FALLBACK: FoundPrice = { price: FALLBACK_PRICE, priceId: "fallback", fallback: true };

/** Hosts that charge more than the list price, in percent of it. */
const HOST_PERCENT: ReadonlyMap<string, number> = new Map([
  ["api.eu.mistral.ai", 110],
  // OpenAI charges it for models since March 2026; for older ones the count is a little high.
  ["eu.api.openai.com", 110],
]);

interface Dated extends FoundPrice {
  readonly fromMs: number;
}

/** Per provider and model id what can be found, oldest first. */
const book = lazy(() => readBook(catalogue()));

/**
 * Finds the price of a model: by its exact id, then by the id without a trailing date (`-2026-04-23` or
 * `-20260423`). Never by a looser prefix: `claude-sonnet-5-5` is not priced as `claude-sonnet-5`.
 *
 * @returns The price that holds at `atMs`, the same object every time; null if the model has none.
 */
export function findPrice(provider: ProviderId, model: string, atMs: number): FoundPrice | null {
  const models = book()[provider];
  const dated = models.get(model) ?? models.get(model.replace(TRAILING_DATE, ""));
  if (dated === undefined) return null;
  return dated.findLast((price) => price.fromMs <= atMs) ?? dated[0] ?? null;
}

/** Finds the price of a model, or the fallback, which is marked as such. */
export function priceOrFallback(provider: ProviderId, model: string, atMs: number): FoundPrice {
  return findPrice(provider, model, atMs) ?? FALLBACK;
}

/** Returns the exact ids that have a price, except of a provider whose models are named by its customers. */
export function pricedModels(provider: ProviderId): string[] {
  return PROVIDERS_WITH_OWN_NAMES.has(provider) ? [] : [...book()[provider].keys()];
}

/** Returns what the host of a base URL charges in percent of the list price: 100 for most. For `withMultiplier`. */
export function hostPercent(baseUrl: string): number {
  let percent = percents.get(baseUrl);
  if (percent === undefined) {
    percent = HOST_PERCENT.get(new URL(baseUrl).hostname) ?? 100;
    percents.set(baseUrl, percent);
  }
  return percent;
}

/** What was found out: every call asks, and there are few base URLs. */
const percents = new BoundedMap<string, number>(1000);

/** Their models are deployments, so the catalogue says nothing about what there is. */
const PROVIDERS_WITH_OWN_NAMES: ReadonlySet<ProviderId> = new Set(["azure_openai"]);

const TRAILING_DATE = /-20\d\d(?:-\d\d-\d\d|\d{4})$/;

type Models = ReadonlyMap<string, readonly Dated[]>;

function readBook(from: Catalogue): Readonly<Record<ProviderId, Models>> {
  const openai = readModels("openai", from);
  const anthropic = readModels("anthropic", from);
  const mistral = readModels("mistral", from);
  const groq = readModels("groq", from);
  // A deployment named like a model is priced like it, where Azure has no price of its own.
  const azure = new Map([...anthropic, ...openai, ...readModels("azure_openai", from)]);
  return { openai, anthropic, mistral, azure_openai: azure, groq };
}

function readModels(provider: ProviderId, from: Catalogue): Models {
  const models = new Map<string, readonly Dated[]>();
  for (const [model, prices] of Object.entries(from.providers[provider])) {
    const priceId = `${provider}/${model}@${from.priced_as_of}`;
    const dated = prices.map((price) => ({
      price,
      priceId,
      fallback: false,
      fromMs: fromMs(price),
    }));
    models.set(model, dated);
  }
  return models;
}

function fromMs(price: DatedPrice): number {
  return price.from === undefined ? -Infinity : Date.parse(price.from);
}
