import { estimateOutputTokens } from "../domain/estimate.ts";
import type { Ending } from "../domain/hold.ts";
import { NO_USAGE, type Usage } from "../domain/usage.ts";
import type { Hold } from "../store/ledger.ts";
import { UpstreamFault } from "../wire/translation.ts";
import { charge } from "./admit.ts";
import type { Deps } from "./deps.ts";
import { endingOf } from "./flight.ts";
import { NoAnswer } from "./forward.ts";
import type { Target } from "./route.ts";
import { UpstreamRefused } from "./upstream_refusal.ts";

/** What is known of a call at its end. */
export interface Outcome {
  readonly ending: Ending;
  readonly upstreamStatus: number | null;
  readonly servedModel: string | null;
  /** What the provider reported, perhaps only of the beginning; null if nothing. */
  readonly usage: Usage | null;
  /** Characters of output that passed through; null if none could be seen, whatever was generated. */
  readonly outputChars: number | null;
  /** Whether the provider may have generated anything. If not, the hold is voided. */
  readonly generated: boolean;
}

/** Ends a call in the ledger. Said again, it does nothing: a hang-up arrives twice. */
export type Settle = (outcome: Outcome) => void;

/** Returns what settles this hold, once. */
export function settleOnce(hold: Hold, target: Target, deps: Pick<Deps, "ledger">): Settle {
  let settled = false;
  return (outcome) => {
    if (settled) return;
    settled = true;
    const { ending, upstreamStatus, servedModel } = outcome;
    const used = outcome.generated ? chargeFor(outcome, hold, target) : null;
    deps.ledger.settle(hold, { ending, upstreamStatus, servedModel, used });
  };
}

/**
 * Returns usage as reported if the call was completed and the report is whole, else the most that the
 * evidence supports: a provider that reports 0 has not counted.
 */
export function usageOf(
  outcome: Outcome,
  hold: Pick<Hold, "operation" | "estimatedInputTokens" | "heldTokens">,
): { usage: Usage; estimated: boolean } {
  const { ending, usage, outputChars } = outcome;
  if (ending === "completed" && usage !== null && isWhole(usage, outputChars))
    return { usage, estimated: false };
  const inputTokens = usage?.inputTokens || hold.estimatedInputTokens;
  const reported = { ...(usage ?? NO_USAGE), inputTokens };
  const seen =
    outputChars === null
      ? hold.heldTokens - hold.estimatedInputTokens
      : hold.operation === "chat"
        ? estimateOutputTokens(outputChars)
        : 0;
  return {
    usage: { ...reported, outputTokens: Math.max(reported.outputTokens, seen) },
    estimated: true,
  };
}

/** Whether a report counts the input, which no call is without, and the output if there was any. */
function isWhole(usage: Usage, outputChars: number | null): boolean {
  return usage.inputTokens > 0 && (usage.outputTokens > 0 || !outputChars);
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
  const refused = error instanceof UpstreamRefused || isErrorReport(error);
  const unsent = error instanceof NoAnswer && !error.sent;
  // Of a whole answer nothing is seen until it is there: it may be complete on the provider's side.
  const unseen = !streamed && !(error instanceof NoAnswer);
  return {
    ending: endingOf(error),
    upstreamStatus,
    servedModel: null,
    usage: null,
    outputChars: unseen ? null : 0,
    generated: !refused && !unsent,
  };
}

/** Returns the outcome of a call that was given up before anything of it was sent. */
export function unsentOutcome(error: unknown): Outcome {
  return { ...failedOutcome(error, null, true), generated: false };
}

/** Whether a provider said in a successful answer that it failed: then it generated nothing. */
export function isErrorReport(error: unknown): boolean {
  return error instanceof UpstreamFault && !(error instanceof NoAnswer) && error.body !== null;
}

function chargeFor(outcome: Outcome, hold: Hold, target: Target) {
  const { usage, estimated } = usageOf(outcome, hold);
  return { usage, estimated, ...charge(target, outcome.servedModel, usage, hold.admittedAtMs) };
}
