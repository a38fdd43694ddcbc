import * as v from "valibot";
import type { ErrorCode } from "../../domain/errors.ts";
import { PROVIDER_IDS } from "../../domain/provider.ts";

/** When each code is answered, for people. */
export const CAUSES: Readonly<Record<ErrorCode, string>> = {
  invalid_model:
    "The body is malformed, or the model names no provider, one that lacks the operation, or one without a price where those are refused",
  unsupported_parameter: "The provider cannot honour the field that `param` names",
  invalid_value: "The field that `param` names has a wrong value",
  invalid_key: "The inference key is missing, unknown, revoked or suspended: nobody can tell which",
  cost_circuit_open:
    "The organization's monthly cost limit is reached. Raise the limit and reset the circuit",
  eu_residency_unavailable:
    "The organization is `eu_only`, and the provider has no EU-resident route",
  unknown_url: "Nothing is served there; the message says what is",
  method_not_allowed: "Something is served there, but not by this method",
  provider_not_configured: "The provider is not configured for this organization, or disabled",
  settings_not_configured: "The organization has no monthly cost limit yet",
  request_too_large: "The body is longer than the operator allows",
  rate_limited:
    "The key's requests per minute are used up, or too many of its calls are being served; `Retry-After` says in how many seconds there is room",
  token_ceiling_exceeded: "The key's monthly tokens are used up",
  upstream_error: "The provider answered with an error: it is inside, with its status",
  overloaded:
    "The call cannot be taken safely now: too much is going on, or the disk or memory is short",
  shutting_down: "The proxy is about to stop",
  upstream_timeout: "The provider did not answer in time",
  upstream_stream_interrupted: "Only inside a stream: the provider's connection was cut",
  internal_error: "A fault of ours, and a bug",
};

const count = () => v.pipe(v.number(), v.safeInteger(), v.minValue(0));

function extra<S extends v.GenericSchema>(schema: S, about: string) {
  return v.optional(v.pipe(schema, v.description(about)));
}

/** Every error of the data plane, and of a stream that fails. */
export const InferenceErrorBody = v.strictObject({
  error: v.looseObject({
    message: v.pipe(v.string(), v.description("What is wrong, for people")),
    type: v.pipe(v.string(), v.description("What kind of error, in OpenAI's vocabulary")),
    param: v.pipe(v.nullable(v.string()), v.description("The field that is at fault")),
    code: v.pipe(
      v.nullable(v.string()),
      v.description(
        "What is wrong, for programs: one of the codes below, or the provider's own where its errors are passed through",
      ),
    ),
    provider: extra(v.picklist(PROVIDER_IDS), "`upstream_error`: whose error it is"),
    upstream_status: extra(v.nullable(count()), "`upstream_error`: the provider's status"),
    upstream_body: extra(v.unknown(), "`upstream_error`: what the provider said"),
    innererror: extra(v.unknown(), "What a provider says about a filtered prompt"),
    limit_cents: extra(count(), "`cost_circuit_open`: the limit, in US cents"),
    settled_microcents: extra(count(), "`cost_circuit_open`: this month's cost"),
    held_microcents: extra(count(), "`cost_circuit_open`: held for calls in flight"),
    circuit_open: extra(v.boolean(), "`cost_circuit_open`: whether it must be reset"),
    limit: extra(count(), "`token_ceiling_exceeded`: the limit, in tokens"),
    used: extra(count(), "`token_ceiling_exceeded`: this month's tokens"),
    held: extra(count(), "`token_ceiling_exceeded`: held for calls in flight"),
    resets_at: extra(
      v.pipe(v.string(), v.isoTimestamp()),
      "`token_ceiling_exceeded`: when the next month begins",
    ),
  }),
});

/** The codes that every route can answer. */
export const COMMON_ERRORS: readonly ErrorCode[] = ["invalid_key", "overloaded", "internal_error"];

/** The codes that a call can be answered with, beside those. */
export const CALL_ERRORS: readonly ErrorCode[] = [
  "invalid_model",
  "unsupported_parameter",
  "invalid_value",
  "cost_circuit_open",
  "eu_residency_unavailable",
  "provider_not_configured",
  "settings_not_configured",
  "request_too_large",
  "rate_limited",
  "token_ceiling_exceeded",
  "upstream_error",
  "shutting_down",
  "upstream_timeout",
];
