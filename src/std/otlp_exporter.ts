import type { Log } from "./log.ts";

/** What an attribute of a span may be. Whole numbers are told from others by their value. */
export type AttributeValue = string | number | boolean | readonly string[];

/** Attributes by name. Those that are undefined are left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** One piece of work in a trace. Times in milliseconds since the Unix epoch, with fractions. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: "server" | "client";
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Whether it failed. */
  readonly failed: boolean;
}

/** A program that makes spans. */
export interface Service {
  readonly name: string;
  readonly version: string;
}

export interface OtlpOptions {
  /** Where traces are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Who made the spans. */
  readonly service: Service;
  readonly log: Log;
}

/** Spans that are sent together. */
const BATCH_SPANS = 512;

/** Spans that are kept for a collector that does not take them; beyond it the oldest are dropped. */
const QUEUE_SPANS_MAX = 4096;

/** How long spans wait for company, in milliseconds. */
const COMPANY_MS = 5_000;

/** How long a collector may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** How long the end of the process waits for a collector, in milliseconds. */
const CLOSE_MS = 3_000;

/** Answers that say: again later. */
const LATER = new Set([429, 502, 503, 504]);

const KINDS = { server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

/** Sends spans to an OpenTelemetry collector, as OTLP's JSON over HTTP: in batches, one request at a time. */
export class OtlpExporter {
  readonly #options: OtlpOptions;
  readonly #queue: Span[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #failing = false;
  #closed = false;
  #dropped = 0;

  constructor(options: OtlpOptions) {
    this.#options = options;
  }

  /** The spans that were given up. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a span, to be sent soon. */
  add(span: Span): void {
    if (this.#closed) return;
    this.#queue.push(span);
    this.#bound();
    if (this.#queue.length >= BATCH_SPANS && !this.#failing) this.#begin();
    this.#timer ??= setTimeout(() => this.#due(), COMPANY_MS).unref();
  }

  /** Sends what waits, for as long as the collector takes it. */
  async flush(): Promise<void> {
    await this.#sending;
    while (this.#queue.length > 0 && (await this.#sendBatch()));
  }

  /** Sends what waits, but not for long, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.race([this.flush(), Bun.sleep(CLOSE_MS)]);
    this.#drop(this.#queue.splice(0).length);
  }

  #due(): void {
    this.#timer = null;
    this.#begin();
    if (this.#queue.length > 0 && !this.#closed)
      this.#timer = setTimeout(() => this.#due(), COMPANY_MS).unref();
  }

  #begin(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  /** Sends full batches, and at least one. */
  async #sendAll(): Promise<void> {
    while ((await this.#sendBatch()) && this.#queue.length >= BATCH_SPANS);
  }

  /** Returns whether the collector took or refused the batch; if not, it is kept. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#queue.splice(0, BATCH_SPANS);
    if (batch.length === 0) return true;
    const answer = await this.#post(batch);
    if (answer === "later") {
      this.#queue.unshift(...batch);
      this.#bound();
      return false;
    }
    if (answer === "refused") this.#drop(batch.length);
    return true;
  }

  async #post(batch: readonly Span[]): Promise<"taken" | "refused" | "later"> {
    const { url, headers, service } = this.#options;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: tracesJson(batch, service),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        // The headers may hold a password, which is for this address alone.
        redirect: "manual",
        proxy: false,
        // The environment can ask for requests to be printed, headers included.
        verbose: false,
      } as RequestInit);
      await response.arrayBuffer();
      this.#note(response.ok ? null : `status ${response.status}`);
      if (response.ok) return "taken";
      return LATER.has(response.status) ? "later" : "refused";
    } catch (error) {
      this.#note(error instanceof Error ? error.name : "unknown");
      return "later";
    }
  }

  /** Says so once when sending begins to fail, and once when it works again. */
  #note(problem: string | null): void {
    const failing = problem !== null;
    if (failing === this.#failing) return;
    this.#failing = failing;
    const { log } = this.#options;
    if (failing) log.warn("cannot export traces", { error: problem });
    else log.info("traces are exported again", { dropped: this.#dropped });
  }

  #bound(): void {
    const over = this.#queue.length - QUEUE_SPANS_MAX;
    if (over > 0) this.#drop(this.#queue.splice(0, over).length);
  }

  #drop(spans: number): void {
    this.#dropped += spans;
  }
}

/** Where a collector takes traces, below its address. */
const TRACES_PATH = "/v1/traces";

/**
 * Returns where traces are posted to, from the address of a collector such as `http://127.0.0.1:4318`, or from the
 * whole URL.
 *
 * @throws {SyntaxError} If it is no URL of http or https, or carries a password or a query.
 */
export function parseOtlpEndpoint(text: string): string {
  const url = URL.parse(text);
  const plain =
    url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === "";
  if (!plain || url.search + url.hash !== "")
    throw new SyntaxError(
      `Cannot understand "${text}": expected a URL such as http://127.0.0.1:4318`,
    );
  const base = url.href.replace(/\/+$/, "");
  return base.endsWith(TRACES_PATH) ? base : base + TRACES_PATH;
}

/** Writes spans as OTLP's JSON. */
export function tracesJson(spans: readonly Span[], service: Service): string {
  const attributes = attributesJson({
    "service.name": service.name,
    "service.version": service.version,
  });
  const scopeSpans = [{ scope: service, spans: spans.map(spanJson) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] });
}

function spanJson(span: Span) {
  const { traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, failed } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributesJson(attributes),
    status: failed ? { code: STATUS_ERROR } : {},
  };
}

/** A double holds microseconds since 1970, but not nanoseconds. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function attributesJson(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueJson(value) }],
  );
}

function valueJson(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value !== "number") return { arrayValue: { values: value.map(valueJson) } };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
