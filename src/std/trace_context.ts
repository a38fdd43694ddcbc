/** The place of a request in a trace, as the W3C's `traceparent` header says it. */
export interface TraceContext {
  /** 32 digits of lower-case hex, not all zero. */
  readonly traceId: string;
  /** 16 digits of lower-case hex, not all zero: the span that asked. */
  readonly spanId: string;
  /** Whether whoever began the trace records it. */
  readonly sampled: boolean;
}

/** Version, trace id, span id, flags; later versions may say more behind them. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent` header; null if it is none. */
export function parseTraceparent(header: string): TraceContext | null {
  const [, version = "ff", traceId = "", spanId = "", flags = "", rest] =
    TRACEPARENT.exec(header) ?? [];
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Returns a new span id. */
export function newSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  // All zero means none.
  bytes[0] = (bytes[0] ?? 0) | 1;
  return bytes.toHex();
}
