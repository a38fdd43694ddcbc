/**
 * Writes the price catalogue `src/providers/prices.json` from the pinned price library:
 *
 *     bun src/tools/make_prices.ts
 *
 * The same library gives the same bytes. Read the difference before it is committed: it is a change of prices.
 */
import { calcPrice, findProvider } from "@pydantic/genai-prices";
import type { MatchLogic, ModelInfo, ModelPrice } from "@pydantic/genai-prices";
import { MICROCENTS_PER_DOLLAR, type Price, type Rates } from "../domain/price.ts";
import { PROVIDER_IDS, type ProviderId } from "../domain/provider.ts";
import type { Catalogue, DatedPrice } from "../providers/price_book.ts";

/** When each version of the library was published: its package does not say. A new version needs a new line. */
const PUBLISHED: Readonly<Record<string, string>> = { "0.1.8": "2026-09-23" };

/** How the library calls our providers, and whose ids each may answer to besides its own. */
const SOURCES: Readonly<Record<ProviderId, { name: string; alsoNamedBy: readonly string[] }>> = {
  openai: { name: "openai", alsoNamedBy: [] },
  anthropic: { name: "anthropic", alsoNamedBy: [] },
  mistral: { name: "mistral", alsoNamedBy: [] },
  // The library prices an Azure deployment like the model that its name says, OpenAI's or Anthropic's.
  azure_openai: { name: "azure", alsoNamedBy: ["openai", "anthropic"] },
  groq: { name: "groq", alsoNamedBy: [] },
};

/** Real ids which the library knows only by a pattern, and which a trailing date does not explain. */
const FURTHER_IDS: Readonly<Partial<Record<ProviderId, readonly string[]>>> = {
  openai: ["computer-use-preview"],
  anthropic: ["claude-2.0", "claude-2.1", "claude-3-5-sonnet-latest"],
  mistral: [
    "magistral-medium-2506",
    "magistral-medium-2507",
    "magistral-medium-2509",
    "magistral-medium-latest",
    "magistral-small-2506",
    "magistral-small-2507",
    "magistral-small-2509",
    "magistral-small-latest",
  ],
};

/** Models of which the library knows the price of text only, although they hear and speak at dearer rates. */
const AUDIO_PRICE_UNKNOWN = new Set(["gpt-4o-audio-preview", "gpt-4o-mini-audio-preview"]);

/** The library's name of each rate that usage can be charged at. */
const RATE_NAMES = {
  input: "input_mtok",
  output: "output_mtok",
  cacheRead: "cache_read_mtok",
  cacheWrite: "cache_write_mtok",
  cacheWrite1h: "cache_write_1h_mtok",
  inputAudio: "input_audio_mtok",
  outputAudio: "output_audio_mtok",
} as const satisfies Record<keyof Rates, string>;

const RATE_KEYS = new Map<string, keyof Rates>(
  Object.entries(RATE_NAMES).map(([key, name]) => [name, key as keyof Rates]),
);

const PACKAGE = new URL("../", import.meta.resolve("@pydantic/genai-prices"));
const CATALOGUE = new URL("../providers/prices.json", import.meta.url);

/** What the library says, in our form, and which of its models have no price per token that usage can tell. */
export interface Extract {
  readonly catalogue: Catalogue;
  readonly leftOut: readonly string[];
}

/** Extracts the prices of our providers from the installed library. @throws {Error} If it is not the known one. */
export async function extractPrices(): Promise<Extract> {
  const { version } = (await Bun.file(new URL("package.json", PACKAGE)).json()) as {
    version: string;
  };
  const pricedAsOf = PUBLISHED[version];
  if (pricedAsOf === undefined) {
    throw new Error(
      `Cannot extract prices: no date of publication is known for version ${version}`,
    );
  }
  const leftOut: string[] = [];
  const providers = {} as Record<ProviderId, Record<string, readonly DatedPrice[]>>;
  for (const id of PROVIDER_IDS) providers[id] = extractProvider(id, leftOut);
  const catalogue: Catalogue = {
    about: "Written by src/tools/make_prices.ts; rates are microcents per million tokens",
    source: `@pydantic/genai-prices ${version}`,
    license: await Bun.file(new URL("LICENSE", PACKAGE)).text(),
    priced_as_of: pricedAsOf,
    providers,
  };
  return { catalogue, leftOut };
}

/** Writes a catalogue as JSON with one model per line, so that a difference names models. */
export function formatCatalogue(catalogue: Catalogue): string {
  const { providers, ...head } = catalogue;
  const heads = Object.entries(head).map(([key, value]) => `${json(key)}: ${json(value)}`);
  const bodies = Object.entries(providers).map(([id, models]) => {
    const lines = Object.entries(models).map(
      ([model, prices]) => `${json(model)}: ${json(prices)}`,
    );
    return `${json(id)}: {\n${lines.join(",\n")}\n}`;
  });
  return `{\n${heads.join(",\n")},\n"providers": {\n${bodies.join(",\n")}\n}\n}\n`;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

function extractProvider(id: ProviderId, leftOut: string[]): Record<string, readonly DatedPrice[]> {
  const { name, alsoNamedBy } = SOURCES[id];
  const own = modelsOf(name);
  const named = [...own, ...alsoNamedBy.flatMap(modelsOf)].flatMap(idsOf);
  const models: Record<string, readonly DatedPrice[]> = {};
  const skipped = new Set<string>();
  for (const model of [...new Set([...named, ...(FURTHER_IDS[id] ?? [])])].sort()) {
    // The library takes the first rule that matches, which need not be that of the model named so.
    const found = calcPrice({}, model, { providerId: name })?.model;
    if (found === undefined || !own.includes(found)) continue;
    const prices = AUDIO_PRICE_UNKNOWN.has(found.id) ? null : datedPrices(found);
    if (prices === null) skipped.add(found.id);
    else models[model] = prices;
  }
  leftOut.push(...[...skipped].map((model) => `${id}/${model}`));
  return models;
}

function modelsOf(providerName: string): readonly ModelInfo[] {
  const provider = findProvider({ providerId: providerName });
  if (provider === undefined) {
    throw new Error(`Cannot extract prices: the library does not know "${providerName}"`);
  }
  return provider.models;
}

/** Every id that a model's entry spells out: its own, and the texts of its rules, but for patterns. */
function idsOf(model: ModelInfo): string[] {
  return [model.id, ...textsOf(model.match)].filter((id) => /^[\x21-\x7e]*[a-z0-9]$/.test(id));
}

function textsOf(rule: MatchLogic): string[] {
  if ("or" in rule) return rule.or.flatMap(textsOf);
  if ("equals" in rule) return [rule.equals];
  // Where a name starts a family, the bare name is of the family, and dated ids are found through it.
  if ("starts_with" in rule) return [rule.starts_with];
  return [];
}

/** Returns a model's prices, oldest first; null if usage cannot tell what they are charged for. */
function datedPrices(model: ModelInfo): DatedPrice[] | null {
  if (!Array.isArray(model.prices)) {
    const price = priceOf(model.prices);
    return price && [price];
  }
  const dated: DatedPrice[] = [];
  for (const { constraint, prices } of model.prices) {
    const price = priceOf(prices);
    if (price === null || constraint?.type === "time_of_date") return null;
    dated.push(constraint === undefined ? price : { from: constraint.start_date, ...price });
  }
  return dated;
}

function priceOf(prices: ModelPrice): Price | null {
  const names = Object.keys(prices).filter((name) => name.endsWith("_mtok"));
  if (!names.every((name) => RATE_KEYS.has(name))) return null;
  const starts = new Set(names.flatMap((name) => tiersOf(prices[name]).map((tier) => tier.start)));
  const base = ratesAt(prices, 0);
  if (base === null) return null;
  if (starts.size === 0) return base;
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .map((above) => ({ above, ...base, ...ratesAt(prices, above + 1) }));
  return { ...base, tiers };
}

function tiersOf(price: ModelPrice[string]): readonly { start: number; price: number }[] {
  return typeof price === "object" ? price.tiers : [];
}

/** The rates for a call with this many input tokens; null if input would be free: nothing is here. */
function ratesAt(prices: ModelPrice, inputTokens: number): Rates | null {
  const rates: { -readonly [Kind in keyof Rates]: Rates[Kind] } = { input: 0 };
  for (const [key, name] of Object.entries(RATE_NAMES) as [keyof Rates, string][]) {
    const price = prices[name];
    if (price === undefined) continue;
    const base = typeof price === "object" ? price.base : price;
    const tier = tiersOf(price).findLast(({ start }) => inputTokens > start);
    rates[key] = microcents(tier?.price ?? base);
  }
  return rates.input > 0 ? rates : null;
}

/** Turns dollars into microcents. @throws {RangeError} If a price is finer than that. */
function microcents(dollars: number): number {
  const amount = Math.round(dollars * MICROCENTS_PER_DOLLAR);
  // A double divided by a power of ten comes back to the very double that the decimal stands for.
  if (amount / MICROCENTS_PER_DOLLAR !== dollars) {
    throw new RangeError(`Cannot keep price ${dollars}: it is not a whole number of microcents`);
  }
  return amount;
}

if (import.meta.main) {
  const { catalogue, leftOut } = await extractPrices();
  await Bun.write(CATALOGUE, formatCatalogue(catalogue));
  for (const [id, models] of Object.entries(catalogue.providers)) {
    process.stdout.write(`${id}: ${Object.keys(models).length} ids\n`);
  }
  process.stdout.write(`left out, not priced by tokens that usage tells: ${leftOut.join(" ")}\n`);
}
