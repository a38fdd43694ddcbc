import type { JsonObject } from "../std/json.ts";
import { UpstreamFault } from "./translation.ts";
import { describeUpstreamError } from "./upstream_error_body.ts";

/** The HTTP status that each type of error is sent with when it is not hidden in a successful answer. */
const STATUSES = new Map([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["conflict_error", 409],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["timeout_error", 504],
  ["overloaded_error", 529],
]);

/** Reads an error inside a successful answer or stream. A type not known yet counts as the provider's fault. */
export function anthropicFault(body: JsonObject): UpstreamFault {
  const error = describeUpstreamError(body);
  return new UpstreamFault(error.message ?? "The provider reported an error", {
    status: STATUSES.get(error.type ?? "") ?? 500,
    type: error.type,
    code: error.code,
    body,
  });
}
