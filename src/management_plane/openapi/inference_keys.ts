import * as v from "valibot";
import { answer, body, noBody, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { CreateBody, UpdateBody } from "../inference_keys.ts";
import { count, id, label, time, word } from "./shapes.ts";

/** An inference key, without the secret. */
export const InferenceKey = v.strictObject({
  id: id("Names the key in paths, and in usage by key"),
  name: label("For people"),
  key_prefix: label("How the key begins, to tell it from others"),
  monthly_token_limit: count("The tokens, input and output, that it may use in a UTC month"),
  rate_limit_rpm: count("The requests that it may make in any 60 seconds"),
  status: word(["active", "suspended", "revoked"], "A revoked key stays so for good"),
  tokens_used_cycle: count("Tokens settled this month"),
  tokens_held: count("Tokens held for calls in flight, which count against the limit too"),
  cycle_month: time("When the month began"),
  created_at: time("When the key was created"),
  revoked_at: v.nullable(time("When it was revoked; null if it was not")),
});

const EXAMPLE: v.InferInput<typeof InferenceKey> = {
  id: "019ecb27-2200-7440-b544-a91c04f7e6d2",
  name: "checkout-app",
  key_prefix: "fdb-inf-a1b2",
  monthly_token_limit: 1_000_000,
  rate_limit_rpm: 60,
  status: "active",
  tokens_used_cycle: 48_210,
  tokens_held: 0,
  cycle_month: "2026-06-01T00:00:00Z",
  created_at: "2026-06-01T09:30:00Z",
  revoked_at: null,
};

const CreatedKey = v.strictObject({
  key: InferenceKey,
  secret: label("The key itself. It is in this answer and nowhere else"),
  activation_note: label("Says so to people"),
});

const KEYS = "/organizations/{orgId}/inference/keys";

export const inferenceKeys: RouteGroup<ManagementErrorCode> = {
  name: "Inference keys",
  about:
    "What programs present to the proxy. Only a hash of each is stored, and each has limits of its own: there is no unlimited key.",
  schemas: { InferenceKey },
  routes: {
    [`GET ${KEYS}`]: {
      id: "listInferenceKeys",
      summary: "List inference keys",
      about: "Revoked ones too: past usage stays attributable.",
      answers: {
        200: answer("The keys", v.strictObject({ keys: v.array(InferenceKey) }), {
          keys: [EXAMPLE],
        }),
      },
      errors: [],
    },
    [`POST ${KEYS}`]: {
      id: "createInferenceKey",
      summary: "Create an inference key",
      about: "It works at once.",
      body: body(
        CreateBody,
        {
          name: "For people",
          monthly_token_limit: "The tokens, input and output, that it may use in a UTC month",
          rate_limit_rpm: "The requests that it may make in any 60 seconds",
        },
        { name: "checkout-app", monthly_token_limit: 1_000_000, rate_limit_rpm: 60 },
      ),
      answers: {
        201: answer("The key, and its secret for the only time", CreatedKey, {
          key: { ...EXAMPLE, tokens_used_cycle: 0 },
          secret: "fdb-inf-a1b2...",
          activation_note: "The key works at once. This is the only time it is shown: ...",
        }),
      },
      errors: [],
    },
    [`PATCH ${KEYS}/{keyId}`]: {
      id: "updateInferenceKey",
      summary: "Change an inference key",
      about:
        "What is left out stays as it is. The change holds for every call admitted from now on.",
      body: body(
        UpdateBody,
        {
          name: "For people",
          monthly_token_limit: "The tokens, input and output, that it may use in a UTC month",
          rate_limit_rpm: "The requests that it may make in any 60 seconds",
          status: "Suspends the key, or lets it work again",
        },
        { status: "suspended" },
      ),
      answers: { 200: answer("The key as it is now", InferenceKey, EXAMPLE) },
      errors: ["inference_key_not_found", "key_revoked"],
    },
    [`DELETE ${KEYS}/{keyId}`]: {
      id: "revokeInferenceKey",
      summary: "Revoke an inference key",
      about: "At once and for good. To do it again changes nothing.",
      answers: { 204: noBody("It is revoked") },
      errors: ["inference_key_not_found"],
    },
  },
};
