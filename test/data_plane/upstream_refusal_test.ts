import { describe, expect, test } from "bun:test";
import {
  canRetry,
  refusalOf,
  type UpstreamRefusal,
} from "../../src/data_plane/upstream_refusal.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";

function refusal(changes: Partial<UpstreamRefusal>): UpstreamRefusal {
  const nothing = { message: null, type: null, code: null, param: null, body: null };
  return { status: 500, retryAfter: null, ...nothing, ...changes };
}

describe("canRetry()", () => {
  test.each([408, 409, 429, 498, 500, 502, 503, 504, 520, 529])("%i passes", (status) => {
    expect(canRetry(refusal({ status }))).toBe(true);
  });

  test.each([301, 307, 400, 401, 402, 403, 404, 405, 413, 415, 422, 451])(
    "%i does not",
    (status) => {
      expect(canRetry(refusal({ status }))).toBe(false);
    },
  );

  test("without an answer it can help", () => {
    expect(canRetry(refusal({ status: null }))).toBe(true);
  });

  test.each([
    ["0", true],
    ["60", true],
    ["61", false],
    ["60.5", false],
    ["Sun, 22 Nov 2026 18:00:00 GMT", true],
  ])("retry-after %s", (retryAfter, helps) => {
    expect(canRetry(refusal({ status: 429, retryAfter }))).toBe(helps);
  });

  test.each(["insufficient_quota", "credit_balance_exhausted", "billing_error"])(
    "an empty purse does not fill by waiting: %s",
    (word) => {
      expect(canRetry(refusal({ status: 429, code: word }))).toBe(false);
      expect(canRetry(refusal({ status: 429, type: word }))).toBe(false);
    },
  );
});

test("refusalOf() keeps what a provider said inside a success", () => {
  const said = { status: 529, type: "overloaded_error", code: "c", body: { error: 1 } };
  expect(refusalOf(new UpstreamFault("Overloaded", said))).toEqual({
    ...said,
    message: "Overloaded",
    param: null,
    retryAfter: null,
  });
});
