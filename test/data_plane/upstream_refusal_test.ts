import { describe, expect, test } from "bun:test";
import {
  canRetry,
  readRefusal,
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

const NOW = "Sun, 22 Nov 2026 18:00:00 GMT";

test.each([
  ["7", NOW, "7"],
  ["Sun, 22 Nov 2026 18:00:30 GMT", NOW, "30"],
  ["Sun, 22 Nov 2026 17:00:00 GMT", NOW, "0"],
  // Told such a date as it is, some clients would sleep until then.
  ["Sat, 22 Nov 2098 18:00:00 GMT", NOW, "2272147200"],
  ["Sun, 22 Nov 2026 18:00:30 GMT", null, null],
  ["Sun, 22 Nov 2026 18:00:30 GMT", "soon", null],
  ["Xyz, 99 Abc 2026 99:00:30 GMT", NOW, null],
  ["soon", NOW, null],
])("a retry-after of %j at %j is %j in seconds", async (given, date, seconds) => {
  const headers = { "retry-after": given, ...(date === null ? {} : { date }) };
  const { retryAfter } = await readRefusal(new Response("{}", { status: 429, headers }));
  expect(retryAfter).toBe(seconds);
});
