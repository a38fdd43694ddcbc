import { estimateOutputTokens } from "../domain/estimate.ts";
import type { Ending } from "../domain/hold.ts";
import { type Evidence, plausibleUsage } from "../domain/plausible_usage.ts";
import { NO_USAGE, type Usage } from "../domain/usage.ts";
import type { Hold } from "../store/ledger.ts";
import { UpstreamFault } from "../wire/translation.ts";
import { generatedBytes } from "../wire/upstream_error_body.ts";
import { charge } from "./admit.ts";
import type { Deps } from "./deps.ts";
import { endingOf } from "./flight.ts";
import { NoAnswer } from "./forward.ts";
import type { Observation } from "./observation.ts";
import type { Target } from "./route.ts";
import { UpstreamRefused } from "./upstream_refusal.ts";

/** What is known of a call at its end. */
export interface Outcome {
  readonly ending: Ending;
  readonly upstreamStatus: number | null;
  readonly servedModel: string | null;
  /** What the provider reported, perhaps only of the beginning; null if nothing. */
  readonly usage: Usage | null;
  /** Bytes of output that passed through, as UTF-8; null if none could be seen, whatever was generated. */
  readonly outputBytes: number | null;
  /** Whether the provider may have generated anything. If not, the hold is voided. */
  readonly generated: boolean;
}

/** Ends a call in the ledger. Said again, it does nothing: a hang-up arrives twice. */
export type Settle = (outcome: Outcome) => void;

/** Returns what settles this hold, once. */
export function settleOnce(
  hold: Hold,
  target: Target,
  observation: Pick<Observation, "settled">,
  deps: Pick<Deps, "ledger" | "log">,
): Settle {
  let settled = false;
  return (outcome) => {
    if (settled) return;
    settled = true;
    const { ending, upstreamStatus } = outcome;
    const servedModel = legible(outcome.servedModel);
    const used = outcome.generated ? chargeFor(outcome, hold, target, deps) : null;
    deps.ledger.settle(hold, { ending, upstreamStatus, servedModel, used });
    observation.settled(upstreamStatus, servedModel, used);
  };
}

/** A model's name is shown to people and kept for each call: what a provider writes instead is not. */
function legible(model: string | null): string | null {
  return model !== null && /^[\x20-\x7e]{1,200}$/.test(model) ? model : null;
}

/** What a settlement needs to know of a hold. */
type HeldFor = Pick<Hold, "operation" | "estimatedInputTokens" | "heldTokens">;

/**
 * Returns usage as reported if the call was completed and the report is whole and plausible, else the most
 * that the evidence supports: a provider that reports 0 has not counted.
 */
export function usageOf(outcome: Outcome, hold: HeldFor): { usage: Usage; estimated: boolean } {
  const { ending, outputBytes } = outcome;
  const seen = seenTokens(outcome, hold);
  const usage = outcome.usage && plausibleUsage(outcome.usage, evidenceOf(hold, seen));
  if (ending === "completed" && usage !== null && isWhole(usage, outputBytes))
    return { usage, estimated: usage !== outcome.usage };
  const inputTokens = usage?.inputTokens || hold.estimatedInputTokens;
  const reported = { ...(usage ?? NO_USAGE), inputTokens };
  return {
    usage: { ...reported, outputTokens: Math.max(reported.outputTokens, seen) },
    estimated: true,
  };
}

/** Returns the output tokens that what passed through stands for, or all that was held if nothing was seen. */
function seenTokens({ outputBytes }: Outcome, hold: HeldFor): number {
  if (outputBytes === null) return hold.heldTokens - hold.estimatedInputTokens;
  return hold.operation === "chat" ? estimateOutputTokens(outputBytes) : 0;
}

function evidenceOf(hold: HeldFor, seen: number): Evidence {
  const { estimatedInputTokens: inputTokens, heldTokens } = hold;
  return { inputTokens, outputTokens: Math.max(heldTokens - inputTokens, seen) };
}

/** Whether a report counts the input, which no call is without, and the output if there was any. */
function isWhole(usage: Usage, outputBytes: number | null): boolean {
  return usage.inputTokens > 0 && (usage.outputTokens > 0 || !outputBytes);
}

/**
 * Returns the outcome of a call that failed before anything reached the client.
 *
 * @param upstreamStatus Null if the provider did not answer.
 */
export function failedOutcome(
  error: unknown,
  upstreamStatus: number | null,
  streamed: boolean,
): Outcome {
  const shownBytes = shownIn(error);
  const refused = (error instanceof UpstreamRefused && shownBytes === 0) || isErrorReport(error);
  const unsent = error instanceof NoAnswer && !error.sent;
  // Of a whole answer nothing is seen until it is there: it may be complete on the provider's side.
  const unseen = !streamed && !(error instanceof NoAnswer);
  return {
    ending: endingOf(error),
    upstreamStatus,
    servedModel: null,
    usage: null,
    outputBytes: shownBytes > 0 || !unseen ? shownBytes : null,
    generated: !refused && !unsent,
  };
}

/** Returns the outcome of a call that was given up before anything of it was sent. */
export function unsentOutcome(error: unknown): Outcome {
  return { ...failedOutcome(error, null, true), generated: false };
}

/** Whether a provider said in a successful answer that it failed, and shows nothing of what it generated. */
export function isErrorReport(error: unknown): boolean {
  const isFault = error instanceof UpstreamFault && !(error instanceof NoAnswer);
  return isFault && error.body !== null && shownIn(error) === 0;
}

/** Returns how much of what was generated a provider's error shows, in bytes. */
export function shownIn(error: unknown): number {
  if (error instanceof UpstreamRefused) return generatedBytes(error.refusal.body);
  return error instanceof UpstreamFault ? generatedBytes(error.body) : 0;
}

function chargeFor(outcome: Outcome, hold: Hold, target: Target, { log }: Pick<Deps, "log">) {
  const { usage, estimated } = usageOf(outcome, hold);
  if (outcome.usage !== null && isBeyond(outcome.usage, usage))
    log.warn("the provider reported more tokens than can be, so fewer are charged", {
      call_id: hold.callId,
      provider: hold.provider,
      model: target.upstreamModel,
      reported_input_tokens: outcome.usage.inputTokens,
      reported_output_tokens: outcome.usage.outputTokens,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
    });
  return { usage, estimated, ...charge(target, outcome.servedModel, usage, hold.admittedAtMs) };
}

function isBeyond(reported: Usage, charged: Usage): boolean {
  const { inputTokens, outputTokens } = reported;
  return inputTokens > charged.inputTokens || outputTokens > charged.outputTokens;
}
