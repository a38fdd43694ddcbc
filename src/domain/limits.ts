import { ProxyError } from "./errors.ts";
import { type Month, nextMonthStartMs } from "./month.ts";
import type { RateWindow } from "./rate_window.ts";

/** One cent in microcents. */
export const MICROCENTS_PER_CENT = 1_000_000;

/** Says to clients that trying again will not help: no wait within reason lifts a monthly limit. */
const NO_RETRY = { "x-should-retry": "false" };

/** An organization's month of money, in microcents. */
export interface CostState {
  readonly month: Month;
  readonly limitMicrocents: number;
  readonly settledMicrocents: number;
  readonly heldMicrocents: number;
  /** Null while the cost circuit is closed. */
  readonly circuitOpenedAtMs: number | null;
}

/** A key's month of tokens. */
export interface TokenState {
  readonly month: Month;
  readonly limit: number;
  readonly used: number;
  readonly held: number;
}

/** Returns why an organization's cost circuit refuses a call, or null if it does not. */
export function costRefusal(state: CostState): ProxyError | null {
  const { circuitOpenedAtMs, settledMicrocents, heldMicrocents, limitMicrocents } = state;
  const open = circuitOpenedAtMs !== null;
  if (!open && settledMicrocents + heldMicrocents < limitMicrocents) return null;
  const why = open
    ? "the organization's cost circuit is open; an owner or admin must raise the monthly cost limit and reset it"
    : "calls in flight may use up the rest of the organization's monthly cost limit";
  return new ProxyError("cost_circuit_open", `Cannot admit call: ${why}`, {
    headers: NO_RETRY,
    details: {
      limit_cents: Math.floor(limitMicrocents / MICROCENTS_PER_CENT),
      settled_microcents: settledMicrocents,
      held_microcents: heldMicrocents,
      circuit_open: open,
    },
  });
}

/** Returns why a key's monthly token ceiling refuses a call, or null if it does not. */
export function ceilingRefusal(state: TokenState): ProxyError | null {
  const { month, limit, used, held } = state;
  if (used + held < limit) return null;
  const why =
    used >= limit
      ? "the monthly token limit of this inference key is reached"
      : "calls in flight may use up the rest of this inference key's monthly token limit";
  return new ProxyError("token_ceiling_exceeded", `Cannot admit call: ${why}`, {
    headers: NO_RETRY,
    details: { limit, used, held, resets_at: new Date(nextMonthStartMs(month)).toISOString() },
  });
}

/** Returns why a key's rate limit refuses a call now, or null if it does not. */
export function rateRefusal(
  window: RateWindow,
  nowMs: number,
  limitRpm: number,
): ProxyError | null {
  if (window.hasRoom(nowMs, limitRpm)) return null;
  const waitMs = Math.ceil(window.waitMs(nowMs, limitRpm));
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ProxyError(
    "rate_limited",
    `Cannot admit call: this inference key may make ${limitRpm} requests a minute; try again in ${seconds} s`,
    { headers: { "retry-after": String(seconds), "retry-after-ms": String(waitMs) } },
  );
}
