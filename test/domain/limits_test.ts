import { expect, test } from "bun:test";
import type { ProxyError } from "../../src/domain/errors.ts";
import {
  ceilingRefusal,
  costRefusal,
  type CostState,
  MICROCENTS_PER_CENT,
  rateRefusal,
  type TokenState,
} from "../../src/domain/limits.ts";
import { RateWindow } from "../../src/domain/rate_window.ts";

const COST: CostState = {
  month: 202606,
  limitMicrocents: 5 * MICROCENTS_PER_CENT,
  settledMicrocents: 0,
  heldMicrocents: 0,
  circuitOpenedAtMs: null,
};

test("a cent is a hundredth of a dollar of 10^8 microcents", () => {
  expect(MICROCENTS_PER_CENT * 100).toBe(10 ** 8);
});

const COSTS: readonly [name: string, state: Partial<CostState>, admits: boolean][] = [
  ["nothing used", {}, true],
  ["one microcent left", { settledMicrocents: 4_999_999 }, true],
  ["the limit settled", { settledMicrocents: 5_000_000 }, false],
  ["more than the limit settled", { settledMicrocents: 9_000_000 }, false],
  [
    "one microcent left beside what is held",
    { settledMicrocents: 1, heldMicrocents: 4_999_998 },
    true,
  ],
  ["the limit reached by what is held", { settledMicrocents: 1, heldMicrocents: 4_999_999 }, false],
  ["an open circuit with nothing used", { circuitOpenedAtMs: 1 }, false],
  ["a circuit opened at the epoch", { circuitOpenedAtMs: 0 }, false],
  ["a limit of nothing", { limitMicrocents: 0 }, false],
];

test.each(COSTS)("the cost circuit with %s", (_, state, admits) => {
  expect(costRefusal({ ...COST, ...state }) === null).toBe(admits);
});

test("a cost refusal says how matters stand and that waiting does not help", () => {
  const open = costRefusal({ ...COST, settledMicrocents: 6_000_000, circuitOpenedAtMs: 1 });
  expect(open).toMatchObject({
    code: "cost_circuit_open",
    status: 402,
    type: "insufficient_quota",
    headers: { "x-should-retry": "false" },
    details: {
      limit_cents: 5,
      settled_microcents: 6_000_000,
      held_microcents: 0,
      circuit_open: true,
    },
  });
  expect(open?.message).toContain("circuit is open");
  const held = costRefusal({ ...COST, heldMicrocents: 5_000_000 });
  expect(held?.message).toContain("calls in flight");
  expect(held?.details).toMatchObject({ circuit_open: false, held_microcents: 5_000_000 });
});

const TOKENS: TokenState = { month: 202612, limit: 100, used: 0, held: 0 };

const CEILINGS: readonly [name: string, state: Partial<TokenState>, admits: boolean][] = [
  ["nothing used", {}, true],
  ["one token left", { used: 60, held: 39 }, true],
  ["the limit used", { used: 100 }, false],
  ["the limit held", { held: 100 }, false],
  ["the limit used and held together", { used: 60, held: 40 }, false],
  ["more than the limit used", { used: 170 }, false],
  ["more used than the limit was lowered to", { used: 10, limit: 5 }, false],
];

test.each(CEILINGS)("the token ceiling with %s", (_, state, admits) => {
  expect(ceilingRefusal({ ...TOKENS, ...state }) === null).toBe(admits);
});

test("a ceiling refusal says when the month ends and that waiting does not help", () => {
  const used = ceilingRefusal({ ...TOKENS, used: 100, held: 3 });
  expect(used).toMatchObject({
    code: "token_ceiling_exceeded",
    status: 429,
    headers: { "x-should-retry": "false" },
    details: { limit: 100, used: 100, held: 3, resets_at: "2027-01-01T00:00:00.000Z" },
  });
  expect(used?.message).toContain("is reached");
  expect(ceilingRefusal({ ...TOKENS, used: 99, held: 1 })?.message).toContain("calls in flight");
});

/** Refuses a second call, made so many milliseconds after the only one allowed. */
function secondCall(afterMs: number): ProxyError | null {
  const window = new RateWindow();
  window.add(0);
  return rateRefusal(window, afterMs, 1);
}

const WAITS: readonly [afterMs: number, seconds: string, ms: string][] = [
  [0, "60", "60000"],
  [1, "60", "59999"],
  [1_000, "59", "59000"],
  [58_999.5, "2", "1001"],
  [59_000, "1", "1000"],
  [59_999, "1", "1"],
  [59_999.9, "1", "1"],
];

test.each(WAITS)("a rate refusal %p ms later asks for %p s", (afterMs, seconds, ms) => {
  const refusal = secondCall(afterMs);
  expect(refusal).toMatchObject({
    code: "rate_limited",
    status: 429,
    headers: { "retry-after": seconds, "retry-after-ms": ms },
  });
  expect(refusal?.message).toContain(`1 requests a minute; try again in ${seconds} s`);
});

test("a call is admitted again after a minute", () => {
  expect(secondCall(60_000)).toBeNull();
});
