import { ProxyError } from "../domain/errors.ts";
import type { Log } from "../std/log.ts";
import { isDatabaseTrouble } from "../store/sqlite.ts";
import { UpstreamFault } from "../wire/translation.ts";
import type { Deps } from "./deps.ts";
import { type ErrorAnswer, internalAnswer, proxyErrorAnswer } from "./error_answer.ts";
import { ClientClosedError } from "./flight.ts";
import { ShutdownError } from "./in_flight.ts";
import type { OpenTarget } from "./target.ts";
import { upstreamAnswer } from "./upstream_answer.ts";
import { refusalOf, UpstreamRefused } from "./upstream_refusal.ts";

/** How long a client should wait when the database cannot be read. */
const RETRY_AFTER_S = "2";

/** A failure of the provider, already brought into the form that the client will read. */
class Answered extends Error {
  readonly answer: ErrorAnswer;

  constructor(answer: ErrorAnswer) {
    super("Cannot complete call: the provider failed");
    this.answer = answer;
  }
}

/** Puts what a provider said into an answer, where it is known whose key must not be in it. */
export function answered(
  error: unknown,
  target: OpenTarget,
  { config }: Pick<Deps, "config">,
): unknown {
  const refusal =
    error instanceof UpstreamRefused
      ? error.refusal
      : error instanceof UpstreamFault
        ? refusalOf(error)
        : null;
  if (refusal === null) return error;
  const { redactor } = target.connection;
  return new Answered(upstreamAnswer(refusal, target.provider.id, redactor, config.upstreamErrors));
}

/** Returns the answer to a request that failed. What nobody foresaw is logged here and nowhere else. */
export function answerOf(error: unknown, requestId: string, log: Log): ErrorAnswer {
  if (error instanceof Answered) return error.answer;
  if (error instanceof ProxyError) return proxyErrorAnswer(error);
  if (error instanceof ShutdownError) {
    return proxyErrorAnswer(new ProxyError("shutting_down", error.message));
  }
  // Nobody is there to read it.
  if (error instanceof ClientClosedError) return { ...internalAnswer(), status: 499 };
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: undefined };
  log.error("request failed", { request_id: requestId, error: name, stack });
  return isDatabaseTrouble(error) ? overloadedAnswer() : internalAnswer();
}

function overloadedAnswer(): ErrorAnswer {
  const message = "Cannot serve request: the database cannot be read now";
  const headers = { "retry-after": RETRY_AFTER_S };
  return proxyErrorAnswer(new ProxyError("overloaded", message, { headers }));
}

/** Returns the JSON text of the error object that ends a stream. */
export function inStreamText(
  error: unknown,
  target: OpenTarget,
  requestId: string,
  deps: Pick<Deps, "config" | "log">,
): string {
  const cut = error instanceof UpstreamFault && error.interrupted;
  const shown = cut
    ? new ProxyError("upstream_stream_interrupted", error.message)
    : answered(error, target, deps);
  return JSON.stringify(answerOf(shown, requestId, deps.log).error);
}
