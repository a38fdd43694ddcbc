import * as v from "valibot";
import { MICROCENTS_PER_DOLLAR, type Rates } from "../domain/price.ts";
import { formatModelName, type ModelName, parseModelName } from "../domain/provider.ts";
import { findPrice } from "../providers/price_book.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import {
  deleteModelPrice,
  listModelPrices,
  type ModelPriceValues,
  ratesOf,
  saveModelPrice,
} from "../store/model_prices.ts";
import type { Row } from "../store/tables.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { text, wholeNumber } from "./fields.ts";
import { emptyResponse, jsonResponse } from "./json_response.ts";
import type { ModelPrice } from "./openapi/prices.ts";
import { ratesView } from "./rates_view.ts";
import { readBody } from "./read_body.ts";

/** Bounds a rate: ten thousand dollars per million tokens, many times what the dearest model takes. */
const RATE_MAX = 10_000 * MICROCENTS_PER_DOLLAR;

/** Bounds an organization's prices: all of them are kept in memory. */
const PRICES_MAX = 1000;

const rate = () => v.nullish(wholeNumber(0, RATE_MAX));

/** What a price says. Where absence means that there is no such rate, null means the same. */
export const PutBody = v.strictObject({
  model: v.pipe(
    text(),
    v.regex(/^[\x21-\x7e]{1,200}$/, "expected up to 200 visible ASCII characters"),
  ),
  alias_of: v.nullish(text()),
  input_microcents_per_million_tokens: rate(),
  output_microcents_per_million_tokens: rate(),
  cache_read_microcents_per_million_tokens: rate(),
  cache_write_microcents_per_million_tokens: rate(),
  cache_write_1h_microcents_per_million_tokens: rate(),
  input_audio_microcents_per_million_tokens: rate(),
  output_audio_microcents_per_million_tokens: rate(),
});

type PutValues = v.InferOutput<typeof PutBody>;

/** Answers with the organization's own prices. */
export async function list(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const prices = await listModelPrices(deps.db, call.organization.id);
  return jsonResponse(200, { prices: prices.map(view) });
}

/** Creates the organization's price of a model, or replaces it. Calls admitted from now on are charged by it. */
export async function put(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const body = await readBody(call.request, PutBody);
  const name = parseModelName(body.model);
  if (name === null) throw invalid(`model "${body.model}" is not a provider and its model`);
  const values = valuesOf(body, call.act.nowMs);
  const organizationId = call.organization.id;
  const saved = await deps.db.transaction().execute(async (tx) => {
    const prices = await listModelPrices(tx, organizationId);
    const isNew = !prices.some((row) => formatModelName(row) === body.model);
    if (isNew && prices.length >= PRICES_MAX) throw tooMany();
    return saveModelPrice(tx, call.act, organizationId, name, values);
  });
  deps.live.organizationChanged(organizationId);
  return jsonResponse(200, view(saved));
}

/** Deletes the organization's price of a model. A slash in the model's name is escaped in the path. */
export async function remove(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const { provider = "", model = "" } = call.params;
  const name = parseModelName(`${provider}/${decoded(model)}`);
  const deleted =
    name !== null &&
    (await deps.db
      .transaction()
      .execute((tx) => deleteModelPrice(tx, call.act, call.organization.id, name)));
  if (!deleted) {
    throw new ManagementError(
      "price_not_found",
      "Cannot delete price: this organization has none of its own for this model",
    );
  }
  deps.live.organizationChanged(call.organization.id);
  return emptyResponse();
}

function valuesOf(body: PutValues, nowMs: number): ModelPriceValues {
  const rates = givenRates(body);
  const given = Object.keys(rates).length;
  if (body.alias_of != null) {
    if (given > 0) throw invalid("alias_of and rates exclude each other");
    return { aliasOf: requirePriced(body.alias_of, nowMs) };
  }
  const { input, output } = rates;
  if (input === undefined || output === undefined) {
    throw invalid(
      "input_ and output_microcents_per_million_tokens are required, or alias_of instead",
    );
  }
  return { rates: { ...rates, input, output } };
}

function givenRates(body: PutValues): Partial<Rates> {
  const rates: [kind: keyof Rates, rate: number | null | undefined][] = [
    ["input", body.input_microcents_per_million_tokens],
    ["output", body.output_microcents_per_million_tokens],
    ["cacheRead", body.cache_read_microcents_per_million_tokens],
    ["cacheWrite", body.cache_write_microcents_per_million_tokens],
    ["cacheWrite1h", body.cache_write_1h_microcents_per_million_tokens],
    ["inputAudio", body.input_audio_microcents_per_million_tokens],
    ["outputAudio", body.output_audio_microcents_per_million_tokens],
  ];
  return Object.fromEntries(rates.filter(([, value]) => value != null));
}

/** Whoever names an alias relies on its price: a misspelt one must not fall back unnoticed. */
function requirePriced(alias: string, nowMs: number): ModelName {
  const name = parseModelName(alias);
  if (name !== null && findPrice(name.provider, name.model, nowMs) !== null) return name;
  throw new ManagementError(
    "alias_unpriced",
    "Cannot save price: alias_of must be a provider/model that the catalogue has a price for",
  );
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}

function view(row: Row<"model_prices">): v.InferOutput<typeof ModelPrice> {
  return {
    model: formatModelName(row),
    ...(row.alias_of === null ? ratesView(ratesOf(row)) : { alias_of: row.alias_of }),
    created_at: formatRfc3339(row.created_at_ms),
    updated_at: formatRfc3339(row.updated_at_ms),
  };
}

function tooMany(): ManagementError {
  return new ManagementError(
    "too_many_prices",
    `Cannot save price: an organization has at most ${PRICES_MAX} of its own`,
  );
}

function invalid(why: string): ManagementError {
  return new ManagementError("invalid_request", `Cannot save price: ${why}`);
}
