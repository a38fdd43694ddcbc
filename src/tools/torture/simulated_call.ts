import { ProxyError } from "../../domain/errors.ts";
import { MICROCENTS_PER_CENT } from "../../domain/limits.ts";
import { NO_USAGE } from "../../domain/usage.ts";
import { uuid7 } from "../../std/uuid7.ts";
import type { AdmitRequest, Settlement } from "../../store/ledger.ts";
import type { Random } from "./random.ts";
import type { ReferenceCall, ReferenceLedger, SimulatedKey } from "./reference_ledger.ts";
import type { SimulatedClock } from "./simulated_clock.ts";
import { Violation } from "./violation.ts";

/** How long at most a call of a simulation is on its way from its id to its admission, in milliseconds. */
const LAG_MS_MAX = 2000;

/** What every call is charged at: the simulation makes up its costs. */
const PRICE = { id: "price", percent: 100, tierAbove: null, rates: { input: 1 } };

/** Returns a call that asks to be admitted now. */
export function newCall(
  key: SimulatedKey,
  reference: ReferenceLedger,
  clock: SimulatedClock,
  random: Random,
): ReferenceCall {
  const estimatedInputTokens = random.between(1, 200);
  return {
    id: uuid7(clock.wallMs() - random.between(0, LAG_MS_MAX)),
    key,
    estimatedInputTokens,
    heldTokens: estimatedInputTokens + random.between(0, 400),
    heldCostMicrocents: random.between(0, 2 * MICROCENTS_PER_CENT),
    admittedTrueMs: clock.trueMs,
    admittedWallMs: clock.wallMs(),
    run: reference.run,
    month: reference.currentMonth(),
    checkpoints: [],
    state: "pending",
    tokens: 0,
    costMicrocents: 0,
    estimated: false,
    durable: false,
  };
}

/** Returns what the ledger is asked for a call. */
export function admitRequest(call: ReferenceCall): AdmitRequest {
  const { key, estimatedInputTokens, heldTokens, heldCostMicrocents } = call;
  return {
    callId: call.id,
    organizationId: key.organizationId,
    keyId: key.id,
    monthlyTokenLimit: key.monthlyTokenLimit,
    rateLimitRpm: key.rateLimitRpm,
    provider: "openai",
    operation: "chat",
    requestedModel: "openai/gpt-5",
    streamed: true,
    estimatedInputTokens,
    heldTokens,
    heldCostMicrocents,
  };
}

/** Returns how a call ends: most use less than they hold, some more, and some come to nothing. */
export function newSettlement(call: ReferenceCall, random: Random): Settlement {
  const estimated = random.chance(0.2);
  const share = random.next() * (random.chance(0.8) ? 1 : 4);
  const usage = {
    ...NO_USAGE,
    inputTokens: Math.round(call.estimatedInputTokens * share),
    outputTokens: Math.round((call.heldTokens - call.estimatedInputTokens) * share),
  };
  const costMicrocents = Math.round(call.heldCostMicrocents * share);
  const voided = random.chance(0.15);
  return {
    ending: estimated ? "client_closed" : "completed",
    upstreamStatus: 200,
    servedModel: "gpt-5",
    used: voided ? null : { usage, costMicrocents, price: PRICE, estimated },
  };
}

/**
 * Returns the code of a refusal.
 *
 * @param waitMs How long the client should be told to wait if it is its rate limit that refuses.
 * @throws {Violation} If it is told another time: too early it is refused again, too late it waits for nothing.
 */
export function refusalCode(reason: unknown, waitMs: number): string {
  if (!(reason instanceof ProxyError)) throw reason;
  if (reason.code !== "rate_limited") return reason.code;
  const saidMs = Number(reason.headers["retry-after-ms"]);
  const seconds = Number(reason.headers["retry-after"]);
  // The two sums are rounded differently, and the answer is in whole milliseconds.
  const exact = saidMs > waitMs - 0.001 && saidMs < waitMs + 1.001;
  if (exact && seconds === Math.ceil(saidMs / 1000)) return reason.code;
  throw new Violation(`A refusal says to wait ${saidMs} ms (${seconds} s), should be ${waitMs} ms`);
}
