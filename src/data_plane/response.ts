import type { RateStatus } from "../store/ledger.ts";
import type { ErrorAnswer } from "./error_answer.ts";

/** What every answer to one request carries. */
export interface AnswerContext {
  /** Also the call's id in the ledger; empty until it has one. */
  requestId: string;
  /** Whether a page in a browser asks, which may read only what it is allowed to. */
  readonly crossOrigin: boolean;
  /** Tells the rate limit's state when the answer is written; null while it is not known whose request this is. */
  rate: (() => RateStatus) | null;
  /** Request fields that were left out because the provider has no such thing. */
  dropped: readonly string[];
}

/** Answers with JSON text. */
export function jsonResponse(text: string, context: AnswerContext): Response {
  const headers = commonHeaders(context);
  headers["content-type"] = "application/json";
  return new Response(text, { headers });
}

/** Answers with an event stream that nothing on the way may hold back. */
export function streamResponse(body: ReadableStream<Uint8Array>, context: AnswerContext): Response {
  return new Response(body, {
    headers: {
      ...commonHeaders(context),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    },
  });
}

/** Answers with an error in the one shape of the data plane. */
export function errorResponse(
  { status, error, headers }: ErrorAnswer,
  context: AnswerContext,
): Response {
  return new Response(JSON.stringify({ error }), {
    status,
    headers: { ...commonHeaders(context), "content-type": "application/json", ...headers },
  });
}

/** Begins the context of an answer. */
export function answerContext(request: Request, requestId: string): AnswerContext {
  return { requestId, crossOrigin: request.headers.has("origin"), rate: null, dropped: [] };
}

function commonHeaders(context: AnswerContext): Record<string, string> {
  const headers: Record<string, string> = { "x-request-id": context.requestId };
  if (context.crossOrigin) Object.assign(headers, CORS);
  if (context.rate !== null) {
    const { limit, remaining, resetMs } = context.rate();
    headers["x-ratelimit-limit-requests"] = String(limit);
    headers["x-ratelimit-remaining-requests"] = String(remaining);
    headers["x-ratelimit-reset-requests"] = duration(resetMs);
  }
  const { dropped } = context;
  if (dropped.length > 0) headers["x-inference-dropped-params"] = nameList(dropped);
  return headers;
}

/** Bounds the list of field names in a header, in characters. */
const MAX_NAMES_CHARS = 1000;

/** A client may name a field as it likes; a header takes visible ASCII only. */
function nameList(names: readonly string[]): string {
  const encoded = names.map((name) => encodeURIComponent(name.toWellFormed()));
  return encoded.join(",").slice(0, MAX_NAMES_CHARS);
}

/** Keys are presented in headers, never by the browser itself, so any page may read the answers. */
export const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers":
    "x-request-id, retry-after, retry-after-ms, x-should-retry, x-upstream-status, " +
    "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, " +
    "x-inference-dropped-params",
} as const;

/** Writes a duration as OpenAI does: `120ms`, `1.5s`, `6m0s`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 100) / 10;
  if (seconds < 60) return `${seconds}s`;
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}m${whole % 60}s`;
}
