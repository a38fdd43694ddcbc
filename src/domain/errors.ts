/** Every code that the data plane answers with, its HTTP status and its `type` in OpenAI's vocabulary. */
export const ERRORS = {
  invalid_model: [400, "invalid_request_error"],
  unsupported_parameter: [400, "invalid_request_error"],
  invalid_value: [400, "invalid_request_error"],
  invalid_key: [401, "invalid_request_error"],
  cost_circuit_open: [402, "insufficient_quota"],
  eu_residency_unavailable: [403, "permission_error"],
  unknown_url: [404, "invalid_request_error"],
  method_not_allowed: [405, "invalid_request_error"],
  provider_not_configured: [412, "invalid_request_error"],
  settings_not_configured: [412, "invalid_request_error"],
  request_too_large: [413, "invalid_request_error"],
  rate_limited: [429, "rate_limit_error"],
  token_ceiling_exceeded: [429, "insufficient_quota"],
  upstream_error: [502, "upstream_error"],
  overloaded: [503, "server_error"],
  shutting_down: [503, "server_error"],
  upstream_timeout: [504, "upstream_error"],
  // Only inside a stream that has already begun: the provider's connection was cut.
  upstream_stream_interrupted: [502, "server_error"],
  // A fault of our own. Whoever sees it has found a bug.
  internal_error: [500, "server_error"],
} as const satisfies Record<string, readonly [status: number, type: string]>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorOptions {
  /** Path of the request field that is at fault, such as `messages[2].content`. */
  readonly param?: string | null;
  /** Response headers that belong to this error. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the error object, such as `limit` and `used`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Replaces the type of the table: a provider's own, where it gave one. */
  readonly type?: string;
}

/** What a caller of the data plane may be told. Its message says "Cannot <verb> <object>: <what is>". */
export class ProxyError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message);
    this.code = code;
    const [status, type] = ERRORS[code];
    this.status = status;
    this.type = options.type ?? type;
    this.param = options.param ?? null;
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }
}

/** Refuses a field whose meaning this provider cannot honour, whatever its value. */
export function unsupportedParameter(param: string, message: string): ProxyError {
  return new ProxyError("unsupported_parameter", message, { param });
}

/** Refuses one value of a field that is otherwise understood. */
export function invalidValue(param: string, message: string): ProxyError {
  return new ProxyError("invalid_value", message, { param });
}
