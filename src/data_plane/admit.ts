import { ProxyError } from "../domain/errors.ts";
import { estimateInputTokens, heldOutputTokens } from "../domain/estimate.ts";
import { type AppliedPrice, costMicrocents, ratesFor, withMultiplier } from "../domain/price.ts";
import { NO_USAGE, type Usage } from "../domain/usage.ts";
import type { Hold } from "../store/ledger.ts";
import type { Translation } from "../wire/translation.ts";
import { activeKey, type Caller } from "./authenticate.ts";
import type { Call } from "./call.ts";
import type { Deps } from "./deps.ts";
import { priceOf } from "./price.ts";
import type { Target } from "./route.ts";

/** What a call costs by the price of the model that served it. */
export interface Charge {
  readonly costMicrocents: number;
  readonly price: AppliedPrice;
}

/** Computes a call's cost: the one function for its hold and for its bill. */
export function charge(
  target: Target,
  servedModel: string | null,
  usage: Usage,
  atMs: number,
): Charge {
  const { price, priceId, percent } = priceOf(target, servedModel, atMs);
  const charged = withMultiplier(price, percent);
  const rates = ratesFor(charged, usage.inputTokens);
  const tierAbove = "above" in rates ? rates.above : null;
  return {
    costMicrocents: costMicrocents(usage, charged),
    price: { id: priceId, percent, tierAbove, rates },
  };
}

/**
 * Places a hold for a call: all its input, and the output it asks for or the default.
 *
 * Nothing is awaited before the ledger decides, so no change of key or settings can slip in between.
 *
 * @throws {ProxyError} `invalid_key` if the key was revoked meanwhile, or the limit that refuses the call.
 */
export async function admit(
  caller: Caller,
  callId: string,
  call: Call,
  target: Target,
  { outputTokensMax }: Pick<Translation, "outputTokensMax">,
  deps: Pick<Deps, "clock" | "config" | "directory" | "ledger">,
): Promise<Hold> {
  const key = activeKey(caller.keyHash, deps);
  const atMs = deps.clock.wallMs();
  refuseUnpriced(target, atMs, deps);
  const inputTokens = estimateInputTokens(call.body, call.text);
  const outputTokens =
    call.operation === "chat" ? (outputTokensMax ?? heldOutputTokens(call.body)) : 0;
  const held: Usage = { ...NO_USAGE, inputTokens, outputTokens };
  return await deps.ledger.admit({
    callId,
    organizationId: key.organizationId,
    keyId: key.id,
    monthlyTokenLimit: key.monthlyTokenLimit,
    rateLimitRpm: key.rateLimitRpm,
    provider: target.provider.id,
    operation: call.operation,
    requestedModel: call.requestedModel,
    streamed: call.stream,
    estimatedInputTokens: inputTokens,
    heldTokens: inputTokens + outputTokens,
    heldCostMicrocents: charge(target, null, held, atMs).costMicrocents,
  });
}

function refuseUnpriced(target: Target, atMs: number, { config }: Pick<Deps, "config">): void {
  if (config.unpriced === "fallback" || !priceOf(target, null, atMs).fallback) return;
  throw new ProxyError(
    "invalid_model",
    `Cannot admit call: no price is known for model "${target.upstreamModel}", and this proxy refuses unpriced models`,
    { param: "model" },
  );
}
