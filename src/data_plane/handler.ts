import type { Operation } from "../domain/provider.ts";
import { uuid7 } from "../std/uuid7.ts";
import type { Hold } from "../store/ledger.ts";
import type { Translation } from "../wire/translation.ts";
import { admit, charge } from "./admit.ts";
import { authenticate } from "./authenticate.ts";
import { type Call, readCall } from "./call.ts";
import type { Deps } from "./deps.ts";
import { answerOf, answered, inStreamText } from "./failure.ts";
import { Flight } from "./flight.ts";
import { findHost, forward } from "./forward.ts";
import type { Observation } from "./observation.ts";
import { readBody } from "./read_body.ts";
import { relayWhole } from "./relay_whole.ts";
import { type StreamOptions, StreamRelay } from "./relay_stream.ts";
import {
  type AnswerContext,
  answerContext,
  errorResponse,
  jsonResponse,
  streamResponse,
} from "./response.ts";
import { failedOutcome, settleOnce, unsentOutcome, usageOf } from "./settle.ts";
import type { Slot } from "./slots.ts";
import { chooseTarget, type OpenTarget } from "./target.ts";
import { translate } from "./translate.ts";
import { readRefusal, UpstreamRefused } from "./upstream_refusal.ts";

/** The client's side of one request, as the server gives it. */
export interface Exchange {
  readonly request: Request;
  /** Ends the connection only after it was idle for this long; 0 means never. Say so before an answer ends. */
  readonly idleTimeout: (seconds: number) => void;
}

/** A call that was admitted, and what came of its translation. */
interface Admitted {
  readonly call: Call;
  readonly target: OpenTarget;
  readonly translation: Translation;
  readonly hold: Hold;
  readonly flight: Flight;
  readonly slot: Slot;
  readonly observation: Observation;
}

/** How long a client may stay after its answer. */
const CLIENT_IDLE_S = 60;

/** Serves one inference request, from the client's bytes to the settled bill. */
export async function handleInference(
  exchange: Exchange,
  operation: Operation,
  deps: Deps,
): Promise<Response> {
  const context = answerContext(exchange.request, "");
  const observation = deps.observer.begin(exchange.request.headers, operation);
  let slot: Slot | null = null;
  try {
    const caller = authenticate(exchange.request.headers, deps);
    observation.key = caller.key;
    context.rate = () => deps.ledger.rateStatus(caller.key.id, caller.key.rateLimitRpm);
    deps.inFlight.mustTakeCalls();
    slot = deps.slots.take(caller.key);
    const text = await readBody(exchange, { bytesMax: deps.config.bodyBytesMax, slot });
    const call = readCall(text, operation);
    observation.read(call);
    // Only now: the ledger keeps calls in order of their ids, and a slow body may have taken its time.
    const nowMs = deps.clock.wallMs();
    context.requestId = uuid7(nowMs);
    const target = await chooseTarget(call, caller.key.organizationId, deps);
    const { organizationId } = caller.key;
    const translation = translate(call, target, {
      callId: context.requestId,
      nowMs,
      organizationId,
    });
    context.dropped = translation.dropped;
    // In flight before it is admitted: a stop must wait for every hold.
    const flight = new Flight(exchange.request.signal, slot, deps);
    const hold = await admit(caller, context.requestId, call, target, translation, deps).catch(
      (error) => {
        flight.end();
        throw error;
      },
    );
    observation.admitted(target, hold);
    const admitted = { call, target, translation, hold, flight, slot, observation };
    return await serve(exchange, admitted, context, deps);
  } catch (error) {
    slot?.leave();
    if (context.requestId === "") context.requestId = uuid7(deps.clock.wallMs());
    const answer = answerOf(error, context.requestId, deps.log);
    observation.refused(error, answer.status, context.requestId);
    return errorResponse(answer, context);
  }
}

/** Whoever has admitted must settle: here, or in the stream once it is open. */
async function serve(
  exchange: Exchange,
  admitted: Admitted,
  context: AnswerContext,
  deps: Deps,
): Promise<Response> {
  const { call, target, translation, hold, flight, slot, observation } = admitted;
  const settle = settleOnce(hold, target, observation, deps);
  const end = endOf(flight, exchange);
  exchange.idleTimeout(0);
  let status: number | null = null;
  let sent = false;
  try {
    const origin = target.host.current() ?? (await findHost(target, flight, deps));
    // A client may have left while the hold was written.
    flight.signal.throwIfAborted();
    sent = true;
    observation.sent();
    const upstream = await forward(
      { target, origin, body: translation.upstreamBody, stream: call.stream },
      flight,
      deps,
    );
    status = upstream.status;
    flight.answerBegins(deps.config.answerTimeLimitMs);
    if (!upstream.ok) throw new UpstreamRefused(await readRefusal(upstream));
    if (!call.stream) {
      const text = await relayWhole(upstream, translation, flight, settle);
      end();
      observation.ended();
      return jsonResponse(text, context);
    }
    const reports = reportsOf(hold, target, deps);
    const options = { flight, settle, observation, onEnd: end, ...reports };
    const relay = new StreamRelay(upstream, translation, options, deps);
    const body = await relay.open();
    // From here on a stream keeps nothing of its request.
    slot.releaseBody();
    return streamResponse(body, context);
  } catch (error) {
    settle(sent ? failedOutcome(error, status, call.stream) : unsentOutcome(error));
    observation.failed(error, false);
    end();
    throw answered(error, target, deps);
  }
}

// A stream lives long and its request may be large. What is given to a stream is made in functions of its
// own, because functions keep whatever stands beside them.

/** Returns what ends a call's flight and lets its connection wait for another. */
function endOf(flight: Flight, { idleTimeout }: Pick<Exchange, "idleTimeout">): () => void {
  return () => {
    flight.end();
    idleTimeout(CLIENT_IDLE_S);
  };
}

/** Returns what a stream says about itself: to its client, and to the ledger. */
function reportsOf(
  hold: Hold,
  target: OpenTarget,
  deps: Deps,
): Pick<StreamOptions, "estimate" | "checkpoint" | "errorText"> {
  return {
    estimate: (outcome) => usageOf(outcome, hold).usage,
    checkpoint: (outcome) => {
      const { usage } = usageOf({ ...outcome, usage: null }, hold);
      const { costMicrocents } = charge(target, outcome.servedModel, usage, hold.admittedAtMs);
      deps.ledger.checkpoint(hold, usage.outputTokens, costMicrocents);
    },
    errorText: (error) => inStreamText(error, target, hold.callId, deps),
  };
}
