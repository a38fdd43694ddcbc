import { jsonResponse } from "./json_response.ts";

/** Every code that the management plane answers with, and its HTTP status. */
export const MANAGEMENT_ERRORS = {
  invalid_request: 400,
  unknown_provider: 400,
  api_key_required: 400,
  base_url_required: 400,
  base_url_refused: 400,
  alias_unpriced: 400,
  unauthorized: 401,
  forbidden: 403,
  cross_site_request: 403,
  unknown_url: 404,
  organization_not_found: 404,
  provider_config_not_found: 404,
  inference_key_not_found: 404,
  settings_not_configured: 404,
  member_not_found: 404,
  price_not_found: 404,
  user_not_found: 404,
  call_not_found: 404,
  method_not_allowed: 405,
  key_revoked: 409,
  circuit_still_over: 409,
  already_member: 409,
  last_owner: 409,
  name_taken: 409,
  slug_taken: 409,
  changed_meanwhile: 409,
  test_under_way: 409,
  rotation_unfinished: 409,
  too_many_prices: 409,
  request_too_large: 413,
  unsupported_media_type: 415,
  unknown_host: 421,
  too_many_attempts: 429,
  // A fault of our own. Whoever sees it has found a bug.
  internal_error: 500,
  overloaded: 503,
} as const satisfies Record<string, number>;

export type ManagementErrorCode = keyof typeof MANAGEMENT_ERRORS;

/** What a caller of the management plane may be told. Its message says "Cannot <verb> <object>: <what is>". */
export class ManagementError extends Error {
  readonly code: ManagementErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ManagementErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** Answers an error in this plane's own shape: published clients read `error` as a string. */
export function errorResponse({ code, message, headers }: ManagementError): Response {
  return jsonResponse(MANAGEMENT_ERRORS[code], { error: message, code }, headers);
}
