import type { Operation } from "../domain/provider.ts";
import type { Clock } from "../std/clock.ts";
import type { Log } from "../std/log.ts";
import type { Metrics } from "../std/metrics.ts";
import type { OtlpExporter } from "../std/otlp_exporter.ts";
import { parseTraceparent } from "../std/trace_context.ts";
import { accessLine } from "./access_line.ts";
import { callCode } from "./call_code.ts";
import { CallMetrics } from "./call_metrics.ts";
import { callSpans } from "./call_spans.ts";
import { type Correlation, Observation, type Observer } from "./observation.ts";

export interface ObserverOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Where a line is written for every call; null for none. */
  readonly accessLog: Pick<Log, "info"> | null;
  /** Takes the spans of every call; null for none. */
  readonly exporter: Pick<OtlpExporter, "add"> | null;
  /** Returns what an organization is called in a label, by its id. */
  readonly organizationName: (id: string) => string;
}

/**
 * How long a call that is over waits for others, in milliseconds. Told of one by one, each would find the code and the
 * memory for it cold: that costs several times as much.
 */
const COMPANY_MS = 10;

/** As many as this wait for nobody. */
const COMPANY_MAX = 256;

/** Bounds what is kept of a client's own request id, in characters. */
const CLIENT_REQUEST_ID_CHARS = 128;

const PATHS: Readonly<Record<Operation, string>> = {
  chat: "/inference/v1/chat/completions",
  embeddings: "/inference/v1/embeddings",
};

const NOTHING: Correlation = { clientRequestId: null, trace: null };

/** The one place that is told of every call: it counts, logs and traces, a moment after the call is over. */
export class CallObserver implements Observer {
  readonly clock: Clock;
  readonly #metrics: CallMetrics;
  readonly #accessLog: Pick<Log, "info"> | null;
  readonly #exporter: Pick<OtlpExporter, "add"> | null;
  #streams = 0;
  #wholes = 0;
  #over: Observation[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ObserverOptions) {
    this.clock = options.clock;
    this.#metrics = new CallMetrics(options.metrics, options.organizationName);
    this.#accessLog = options.accessLog;
    this.#exporter = options.exporter;
  }

  /** The admitted calls that are not over. */
  get inFlight(): { readonly streams: number; readonly wholes: number } {
    return { streams: this.#streams, wholes: this.#wholes };
  }

  /** Begins to observe a request. */
  begin(headers: Headers, operation: Operation): Observation {
    // Only what is written somewhere is worth reading.
    const quiet = this.#accessLog === null && this.#exporter === null;
    return new Observation(operation, quiet ? NOTHING : correlationOf(headers), this);
  }

  /** Counts a request that was refused and would have been no call. */
  refused(error: unknown): void {
    this.#metrics.rejected(callCode(error, false));
  }

  callAdmitted({ stream }: Observation): void {
    if (stream) this.#streams += 1;
    else this.#wholes += 1;
  }

  callEnded(call: Observation): void {
    if (call.hold !== null) {
      if (call.stream) this.#streams -= 1;
      else this.#wholes -= 1;
    }
    this.#over.push(call);
    if (this.#over.length >= COMPANY_MAX) this.tell();
    else this.#timer ??= setTimeout(() => this.tell(), COMPANY_MS).unref();
  }

  /** Counts, logs and traces now the calls that are over. */
  tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const over = this.#over;
    this.#over = [];
    for (const call of over) {
      this.#metrics.ended(call);
      this.#accessLog?.info("call", accessLine(call));
      if (this.#exporter !== null) this.#trace(call, this.#exporter);
    }
  }

  #trace(call: Observation, exporter: Pick<OtlpExporter, "add">): void {
    const wallMinusMonotonicMs = this.clock.wallMs() - this.clock.monotonicMs();
    const context = { path: PATHS[call.operation], wallMinusMonotonicMs };
    for (const span of callSpans(call, context)) exporter.add(span);
  }
}

function correlationOf(headers: Headers): Correlation {
  const clientRequestId = headers.get("x-client-request-id");
  const traceparent = headers.get("traceparent");
  if (clientRequestId === null && traceparent === null) return NOTHING;
  return {
    clientRequestId: clientRequestId === null ? null : readableId(clientRequestId),
    trace: traceparent === null ? null : parseTraceparent(traceparent),
  };
}

/** Returns the beginning of an id, or null if it is not made of visible ASCII. */
function readableId(text: string): string | null {
  const id = text.slice(0, CLIENT_REQUEST_ID_CHARS);
  return /^[\x21-\x7e]+$/.test(id) ? id : null;
}
