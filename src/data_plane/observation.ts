import type { Operation } from "../domain/provider.ts";
import type { Usage } from "../domain/usage.ts";
import type { Clock } from "../std/clock.ts";
import type { TraceContext } from "../std/trace_context.ts";
import type { KeyRecord } from "../store/directory.ts";
import type { Hold } from "../store/ledger.ts";
import type { Call } from "./call.ts";
import { type CallCode, callCode, upstreamFailure } from "./call_code.ts";
import type { Target } from "./route.ts";

/** What a call came to. */
export interface Used {
  readonly usage: Usage;
  readonly costMicrocents: number;
  readonly estimated: boolean;
}

/** What a request says about itself that helps to find it again. */
export interface Correlation {
  readonly clientRequestId: string | null;
  readonly trace: TraceContext | null;
}

/** Who is told when a call is over. */
export interface Observer {
  readonly clock: Clock;
  callAdmitted(call: Observation): void;
  callEnded(call: Observation): void;
}

/**
 * What is seen of one call, from its first byte to its last. It is told what happens where it happens, and tells
 * its observer once, when the call is over. It keeps nothing of what the client sent but the model's name.
 */
export class Observation {
  readonly operation: Operation;
  readonly correlation: Correlation;
  /** Times on the monotonic clock; null if it did not come to that. */
  readonly startedMs: number;
  readMs: number | null = null;
  sentMs: number | null = null;
  firstChunkMs: number | null = null;
  endedMs: number | null = null;
  requestId = "";
  key: KeyRecord | null = null;
  requestedModel: string | null = null;
  /** The output tokens that the client asked for at most. */
  outputTokensMax: number | null = null;
  stream = false;
  /** Null unless the call was admitted. */
  hold: Hold | null = null;
  target: Target | null = null;
  upstreamStatus: number | null = null;
  servedModel: string | null = null;
  /** Null if nothing was generated. */
  used: Used | null = null;
  /** The status that the client was answered with. */
  status = 200;
  code: CallCode = "200";
  /** What the provider did wrong, in a word. */
  upstreamFailure: string | null = null;
  readonly #observer: Observer;

  constructor(operation: Operation, correlation: Correlation, observer: Observer) {
    this.operation = operation;
    this.correlation = correlation;
    this.#observer = observer;
    this.startedMs = observer.clock.monotonicMs();
  }

  /** Notes that the request is there as a whole, and what it asks for. */
  read({ requestedModel, stream, body }: Call): void {
    this.readMs = this.#observer.clock.monotonicMs();
    this.requestedModel = requestedModel;
    this.stream = stream;
    const outputTokensMax = body["max_completion_tokens"] ?? body["max_tokens"];
    if (typeof outputTokensMax === "number") this.outputTokensMax = outputTokensMax;
  }

  admitted(target: Target, hold: Hold): void {
    this.target = target;
    this.hold = hold;
    this.#observer.callAdmitted(this);
  }

  /** Notes that the request is about to go to the provider. */
  sent(): void {
    this.sentMs = this.#observer.clock.monotonicMs();
  }

  /** Notes that the first event of a stream has come. */
  firstChunk(): void {
    this.firstChunkMs = this.#observer.clock.monotonicMs();
  }

  /** Notes how the ledger closed the call. */
  settled(upstreamStatus: number | null, servedModel: string | null, used: Used | null): void {
    this.upstreamStatus = upstreamStatus;
    this.servedModel = servedModel;
    this.used = used;
  }

  /** Notes what went wrong, if nothing has yet: later faults follow from the first. */
  failed(error: unknown, begun: boolean): void {
    if (this.code !== "200") return;
    this.code = callCode(error, begun);
    this.upstreamFailure = upstreamFailure(error);
  }

  /** Ends a call that is answered with an error. */
  refused(error: unknown, status: number, requestId: string): void {
    this.failed(error, false);
    this.status = status;
    this.requestId = requestId;
    this.ended();
  }

  /** Ends the call. Said again, it does nothing: a hang-up arrives twice. */
  ended(): void {
    if (this.endedMs !== null) return;
    this.endedMs = this.#observer.clock.monotonicMs();
    this.requestId = this.hold?.callId ?? this.requestId;
    this.#observer.callEnded(this);
  }
}
