import { expect, test } from "bun:test";
import { anthropicFault } from "../../src/wire/anthropic_fault.ts";

test.each([
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
  ["error_of_tomorrow", 500],
])("an error of type %s stands for status %d", (type, status) => {
  const body = { type: "error", error: { type, message: "m" }, request_id: "req_1" };
  expect(anthropicFault(body)).toMatchObject({
    message: "m",
    status,
    type,
    code: null,
    body,
    interrupted: false,
  });
});

test("the cause in the details is the code", () => {
  const details = { error_code: "enforced_spend_limit_reached" };
  const error = { type: "rate_limit_error", message: "m", details };
  expect(anthropicFault({ type: "error", error }).code).toBe("enforced_spend_limit_reached");
});

test("an error that says nothing still has a message", () => {
  const fault = anthropicFault({ type: "error" });
  expect(fault.message).not.toBe("");
  expect(fault.status).toBe(500);
});
