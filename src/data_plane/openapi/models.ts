import * as v from "valibot";
import type { ErrorCode } from "../../domain/errors.ts";
import { PROVIDER_IDS } from "../../domain/provider.ts";
import { answer, type RouteGroup } from "../../std/route_description.ts";

const [EXAMPLE_PROVIDER] = PROVIDER_IDS;

/** A model as OpenAI's list shows one. */
export const Model = v.strictObject({
  id: v.pipe(v.string(), v.description("`provider/model`, as requests name it")),
  object: v.literal("model"),
  created: v.pipe(
    v.number(),
    v.integer(),
    v.description("When the organization configured the provider, in Unix seconds"),
  ),
  owned_by: v.pipe(v.picklist(PROVIDER_IDS), v.description("The provider")),
});

const EXAMPLE: v.InferInput<typeof Model> = {
  id: "openai/gpt-4o-mini",
  object: "model",
  created: 1_780_306_200,
  owned_by: EXAMPLE_PROVIDER,
};

const MODELS = "/inference/v1/models";

export const models: RouteGroup<ErrorCode> = {
  name: "Models",
  about:
    "What an inference key can reach now: models of the providers that its organization has configured and enabled, and may use.",
  schemas: { Model },
  routes: {
    [`GET ${MODELS}`]: {
      id: "listModels",
      summary: "List models",
      about:
        "Those in the price catalogue. Others work all the same, such as deployments that an operator named.",
      answers: {
        200: answer(
          "The models",
          v.strictObject({ object: v.literal("list"), data: v.array(Model) }),
          { object: "list", data: [EXAMPLE] },
        ),
      },
      errors: [],
    },
    [`GET ${MODELS}/{provider}/{model}`]: {
      id: "getModel",
      summary: "Get a model",
      about: "Any model of a reachable provider: lists lag behind providers.",
      answers: { 200: answer("The model", Model, EXAMPLE) },
      errors: [
        "invalid_model",
        "settings_not_configured",
        "provider_not_configured",
        "eu_residency_unavailable",
      ],
    },
  },
};
