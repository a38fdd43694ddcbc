import { expect, test } from "bun:test";
import {
  type ErrorCode,
  ERRORS,
  invalidValue,
  ProxyError,
  unsupportedParameter,
} from "../../src/domain/errors.ts";

// The published contract: what a client may rely on.
const STATUSES: Readonly<Record<ErrorCode, number>> = {
  invalid_model: 400,
  unsupported_parameter: 400,
  invalid_value: 400,
  invalid_key: 401,
  cost_circuit_open: 402,
  eu_residency_unavailable: 403,
  unknown_url: 404,
  method_not_allowed: 405,
  provider_not_configured: 412,
  settings_not_configured: 412,
  request_too_large: 413,
  rate_limited: 429,
  token_ceiling_exceeded: 429,
  internal_error: 500,
  upstream_error: 502,
  upstream_stream_interrupted: 502,
  overloaded: 503,
  shutting_down: 503,
  upstream_timeout: 504,
};

test("every code has the status that is promised", () => {
  const statuses = Object.entries(ERRORS).map(([code, [status]]) => [code, status]);
  expect(Object.fromEntries(statuses)).toEqual(STATUSES);
});

test("an error takes status and type from its code, and has nothing else by default", () => {
  const { message, code, status, type, param, headers, details } = new ProxyError(
    "rate_limited",
    "Cannot admit call: too fast",
  );
  expect({ message, code, status, type, param, headers, details }).toEqual({
    message: "Cannot admit call: too fast",
    code: "rate_limited",
    status: 429,
    type: "rate_limit_error",
    param: null,
    headers: {},
    details: {},
  });
});

test("an error carries what it is given", () => {
  const options = {
    param: "messages[2].content",
    headers: { "retry-after": "2" },
    details: { limit: 1 },
    type: "tokens",
  };
  const error = new ProxyError("rate_limited", "Cannot admit call: too fast", options);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ ...options, status: 429, code: "rate_limited" });
});

test("a refused field is named", () => {
  const parameter = unsupportedParameter("logprobs", "Cannot send logprobs: there are none");
  const value = invalidValue("n", "Cannot send n: more than one choice");
  expect(parameter).toMatchObject({
    code: "unsupported_parameter",
    status: 400,
    param: "logprobs",
  });
  expect(value).toMatchObject({ code: "invalid_value", status: 400, param: "n" });
  expect(value.message).toBe("Cannot send n: more than one choice");
});
