import type { Usage } from "./usage.ts";

/**
 * What each kind of token costs, in integer microcents per million tokens ($3.00 is 300_000_000).
 * A part without a rate of its own costs what the whole costs that it belongs to: an hour's cache write
 * the rate of cache writes, and cached or audio tokens the rate of input or output.
 */
export interface Rates {
  readonly input: number;
  /** Absent where nothing is generated: embeddings. */
  readonly output?: number;
  readonly cacheRead?: number;
  /** Writes to a cache of the provider's default lifetime, such as five minutes. */
  readonly cacheWrite?: number;
  readonly cacheWrite1h?: number;
  readonly inputAudio?: number;
  readonly outputAudio?: number;
}

/** Rates that replace the others for every token of a call with more input tokens than `above`. */
export interface Tier extends Rates {
  readonly above: number;
}

export interface Price extends Rates {
  /** In ascending order of `above`. */
  readonly tiers?: readonly Tier[];
}

/** A kind of token that has a rate of its own. */
export type RateKind = keyof Rates;

/** What a cost was computed with, complete: with the call's usage it gives the cost again. */
export interface AppliedPrice {
  /** Says where the price is from, such as `openai/gpt-5@2026-09-23`. */
  readonly id: string;
  /** What the host charges in percent of the list price, contained in the rates. */
  readonly percent: number;
  /** The input tokens that the call had to exceed for these rates; null for a price's ordinary ones. */
  readonly tierAbove: number | null;
  readonly rates: Rates;
}

/** One US dollar in microcents. */
export const MICROCENTS_PER_DOLLAR = 100_000_000;

/**
 * The highest cost of one call, a million dollars: a thousand times what the dearest real call costs. An
 * absurd report ends here, so that sums over many calls stay below 2^53.
 */
export const COST_MICROCENTS_MAX = 1_000_000 * MICROCENTS_PER_DOLLAR;

const TOKENS_PER_RATE = 1_000_000;

/** Every kind of token that can have a rate of its own. */
export const RATE_KINDS = [
  "input",
  "output",
  "cacheRead",
  "cacheWrite",
  "cacheWrite1h",
  "inputAudio",
  "outputAudio",
] as const satisfies readonly RateKind[];

/** How rows and the management plane spell each kind. */
export const RATE_NAMES = {
  input: "input",
  output: "output",
  cacheRead: "cache_read",
  cacheWrite: "cache_write",
  cacheWrite1h: "cache_write_1h",
  inputAudio: "input_audio",
  outputAudio: "output_audio",
} as const satisfies Record<RateKind, string>;

/**
 * Returns the cost of a call in whole microcents, rounded up once. The arithmetic is exact.
 * A usage that contradicts itself, such as more cached tokens than input, is clamped and never throws.
 */
export function costMicrocents(usage: Usage, price: Price): number {
  const rates = ratesFor(price, usage.inputTokens);
  const tokens = chargedTokens(usage, rates);
  let sum = 0;
  for (const kind of RATE_KINDS) sum += tokens[kind] * (rates[kind] ?? 0);
  // No product or sum is negative: if the last one is a safe integer, none before it has been rounded.
  if (sum > Number.MAX_SAFE_INTEGER) return costByBigInt(tokens, rates);
  const rest = sum % TOKENS_PER_RATE;
  return (sum - rest) / TOKENS_PER_RATE + (rest > 0 ? 1 : 0);
}

/** Returns the price with every rate times `percent` / 100, rounded up to whole microcents per million. */
export function withMultiplier(price: Price, percent: number): Price {
  if (percent === 100) return price;
  const scaled = scaleRates(price, percent);
  if (price.tiers === undefined) return scaled;
  const tiers = price.tiers.map((tier) => ({ above: tier.above, ...scaleRates(tier, percent) }));
  return { ...scaled, tiers };
}

/** Returns the rates that hold for a call with this many input tokens. */
export function ratesFor(price: Price, inputTokens: number): Price | Tier {
  let rates: Price | Tier = price;
  for (const tier of price.tiers ?? []) if (inputTokens > tier.above) rates = tier;
  return rates;
}

/** Tokens of each kind, none counted twice. */
export type ChargedTokens = Readonly<Record<RateKind, number>>;

/** Splits usage into kinds that do not overlap. A part without a rate stays in the whole it belongs to. */
export function chargedTokens(usage: Usage, rates: Rates): ChargedTokens {
  const input = whole(usage.inputTokens);
  const read = rates.cacheRead === undefined ? 0 : part(usage.cacheReadTokens, input);
  const write = rates.cacheWrite === undefined ? 0 : part(usage.cacheWriteTokens, input - read);
  const write1h = rates.cacheWrite1h === undefined ? 0 : part(usage.cacheWrite1hTokens, write);
  const uncached = input - read - write;
  const audioIn = rates.inputAudio === undefined ? 0 : part(usage.inputAudioTokens, uncached);
  const output = whole(usage.outputTokens);
  const audioOut = rates.outputAudio === undefined ? 0 : part(usage.outputAudioTokens, output);
  return {
    input: uncached - audioIn,
    output: output - audioOut,
    cacheRead: read,
    cacheWrite: write - write1h,
    cacheWrite1h: write1h,
    inputAudio: audioIn,
    outputAudio: audioOut,
  };
}

/** Anything but a whole number >= 0 is a defect elsewhere, but money must come out of it all the same. */
function whole(tokens: number): number {
  return tokens > 0 ? Math.min(Math.ceil(tokens), Number.MAX_SAFE_INTEGER) : 0;
}

function part(tokens: number, of: number): number {
  return Math.min(whole(tokens), of);
}

function costByBigInt(tokens: ChargedTokens, rates: Rates): number {
  let sum = 0n;
  for (const kind of RATE_KINDS) sum += BigInt(tokens[kind]) * BigInt(rates[kind] ?? 0);
  const perRate = BigInt(TOKENS_PER_RATE);
  const cost = (sum + perRate - 1n) / perRate;
  return cost > BigInt(COST_MICROCENTS_MAX) ? COST_MICROCENTS_MAX : Number(cost);
}

function scaleRates(rates: Rates, percent: number): Rates {
  const scaled: { -readonly [Kind in keyof Rates]: Rates[Kind] } = { input: 0 };
  for (const kind of RATE_KINDS) {
    const rate = rates[kind];
    if (rate !== undefined) scaled[kind] = Math.ceil((rate * percent) / 100);
  }
  return scaled;
}
