import * as v from "valibot";
import { MANAGEMENT_ERRORS, type ManagementErrorCode } from "../error_response.ts";
import type { ManagementRoute } from "../routes.ts";

/** When each code is answered, for people. */
export const CAUSES: Readonly<Record<ManagementErrorCode, string>> = {
  invalid_request:
    "The body is no JSON object, a field or parameter is unknown, missing or wrong, the header `X-Active-Org-ID` contradicts the path, or `Host` is malformed",
  unknown_provider: "There is no provider of this name",
  api_key_required:
    "A provider is configured for the first time or at another base URL, and no key is given",
  base_url_required:
    "The provider has no default base URL, or an EU endpoint is attested without one",
  base_url_refused:
    "The base URL is malformed, or its host is neither the provider's nor allowed by the operator",
  alias_unpriced: "`alias_of` is no model that the catalogue has a price for",
  unauthorized: "Nobody is signed in: the user is unknown or the password wrong",
  forbidden: "It takes an owner or admin, or for owners and admins themselves an owner",
  cross_site_request: "A page of another site made a browser send it",
  unknown_url: "Nothing is served there",
  organization_not_found:
    "There is no such organization, or the user is no member of it: nobody can tell which",
  provider_config_not_found: "The provider is not configured",
  inference_key_not_found: "The organization has no such key",
  settings_not_configured: "The organization has no settings yet",
  member_not_found: "The organization has no such member",
  price_not_found: "The organization has no price of its own for this model",
  user_not_found: "There is no such user",
  call_not_found: "The organization has no such call, or it is older than calls are kept",
  method_not_allowed: "Something is served there, but not by this method; `Allow` says by which",
  key_revoked: "A revoked key cannot be changed",
  circuit_still_over: "This month's cost is still at or over the limit",
  already_member: "The user is a member already",
  last_owner: "An organization would be left without an owner",
  name_taken: "There is a user of this name",
  slug_taken: "There is an organization with this slug",
  changed_meanwhile: "Somebody else changed the same thing at the same time: read it again",
  test_under_way: "The same provider is being tested already",
  rotation_unfinished: "The master key is being replaced by another one than this",
  too_many_prices: "An organization has only so many prices of its own",
  request_too_large: "The body is too long",
  unknown_host: "The `Host` header names another host than this one",
  unsupported_media_type: "The body is not `application/json`, or is encoded",
  too_many_attempts: "Signing in failed too often; `Retry-After` says how long to wait",
  internal_error: "A fault of ours, and a bug",
  overloaded:
    "The database cannot be used now, or too many passwords are being checked; `Retry-After` says how long to wait",
};

const CODES = Object.keys(MANAGEMENT_ERRORS) as ManagementErrorCode[];

/** Every error of the management plane. */
export const ManagementErrorBody = v.strictObject({
  error: v.pipe(v.string(), v.description("What is wrong, for people")),
  code: v.pipe(v.picklist(CODES), v.description("What is wrong, for programs")),
});

/** Returns the codes that a route can answer by its kind alone. */
export function errorsOfKind(
  { method, access }: Pick<ManagementRoute, "method" | "access">,
  has: { readonly body: boolean; readonly query: boolean },
): readonly ManagementErrorCode[] {
  const codes: ManagementErrorCode[] = ["internal_error", "overloaded"];
  if (access !== "operator")
    codes.push("invalid_request", "unauthorized", "unknown_host", "too_many_attempts");
  if (access === "member" || access === "manager") codes.push("organization_not_found");
  if (access === "manager") codes.push("forbidden");
  if (method !== "GET") codes.push("cross_site_request");
  if (has.query) codes.push("invalid_request");
  if (has.body) codes.push("invalid_request", "request_too_large", "unsupported_media_type");
  return codes;
}
