import * as v from "valibot";
import { answer, body, noBody, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { PutBody } from "../prices.ts";
import { Rates, RATES_ABOUT } from "./rates.ts";
import { label, time } from "./shapes.ts";

/** An organization's own price of a model: rates, or the model whose rates it has. */
export const ModelPrice = v.strictObject({
  model: label("The model, as `provider/model`"),
  alias_of: v.optional(label("The `provider/model` whose price it has; absent if it has rates")),
  ...Rates,
  created_at: time("When the price was set first"),
  updated_at: time("When it was changed last"),
});

const TIMES = { created_at: "2026-06-01T09:30:00Z", updated_at: "2026-06-01T09:30:00Z" };

const EXAMPLE: v.InferInput<typeof ModelPrice> = {
  model: "azure_openai/prod-chat",
  alias_of: "openai/gpt-4o",
  ...TIMES,
};

const PRICES = "/organizations/{orgId}/inference/prices";

export const prices: RouteGroup<ManagementErrorCode> = {
  name: "Prices",
  about:
    "Prices of an organization's own. They go before the catalogue's: for what was negotiated, and to say which model a deployment is. Rates are microcents, 10^-8 US dollars, per million tokens.",
  schemas: { ModelPrice },
  routes: {
    [`GET ${PRICES}`]: {
      id: "listPrices",
      summary: "List prices",
      about: "The organization's own, not the catalogue's.",
      answers: {
        200: answer("The prices", v.strictObject({ prices: v.array(ModelPrice) }), {
          prices: [
            EXAMPLE,
            {
              model: "openai/gpt-4o-mini",
              input_microcents_per_million_tokens: 12_000_000,
              output_microcents_per_million_tokens: 48_000_000,
              ...TIMES,
            },
          ],
        }),
      },
      errors: [],
    },
    [`PUT ${PRICES}`]: {
      id: "putPrice",
      summary: "Set a price",
      about:
        "Creates the price of a model or replaces it: either an alias, or rates for input and output and what else differs. Calls admitted from now on are charged by it.",
      body: body(
        PutBody,
        {
          model: "The model, as `provider/model`",
          alias_of: "A `provider/model` of the catalogue, whose price it shall have",
          ...RATES_ABOUT,
        },
        { model: "azure_openai/prod-chat", alias_of: "openai/gpt-4o" },
      ),
      answers: { 200: answer("The price", ModelPrice, EXAMPLE) },
      errors: ["alias_unpriced", "too_many_prices"],
    },
    [`DELETE ${PRICES}/{provider}/{model}`]: {
      id: "deletePrice",
      summary: "Delete a price",
      about: "The catalogue's price holds again.",
      answers: { 204: noBody("It is gone") },
      errors: ["price_not_found"],
    },
  },
};
