import type { UpstreamFault } from "../wire/translation.ts";
import { readUpstreamError, type UpstreamErrorBody } from "../wire/upstream_error_body.ts";

/** A provider's refusal: its status and what its body says. */
export interface UpstreamRefusal extends UpstreamErrorBody {
  /** Null if there was no answer over HTTP, or none that says a status. */
  readonly status: number | null;
  readonly retryAfter: string | null;
}

/** An answer of the provider that is no success. Raised instead of relaying it. */
export class UpstreamRefused extends Error {
  readonly refusal: UpstreamRefusal;

  constructor(refusal: UpstreamRefusal) {
    super("Cannot complete call: the provider refused it");
    this.refusal = refusal;
  }
}

/** Bounds what is read of an error body, in bytes. */
const MAX_ERROR_BYTES = 1 << 16;

/** Reads a provider's answer that is no success. A redirect is one: following it would leak key and prompt. */
export async function readRefusal(upstream: Response): Promise<UpstreamRefusal> {
  const { status, headers } = upstream;
  const { text } = await readBounded(upstream, MAX_ERROR_BYTES);
  const body = readUpstreamError(text);
  return { ...body, status, retryAfter: retryAfterOf(headers) };
}

/** Brings an error inside a successful answer or stream into the same form. */
export function refusalOf(fault: UpstreamFault): UpstreamRefusal {
  const { status, type, code, message, body } = fault;
  return { status, type, code, message, param: null, body, retryAfter: null };
}

/** Whether asking the provider again can help: trouble that passes, and no long wait or empty purse. */
export function canRetry(refusal: UpstreamRefusal): boolean {
  const { status, code, type, retryAfter } = refusal;
  if (status === null) return true;
  if (status < 500 && ![408, 409, 429, 498].includes(status)) return false;
  if (isExhausted(code) || isExhausted(type)) return false;
  return retryAfter === null || !(secondsOf(retryAfter) > MAX_WAIT_S);
}

/** Whether an error's code or type says that money or a spending limit ran out. */
export function isExhausted(word: string | null): boolean {
  return word !== null && EXHAUSTED.has(word);
}

/** SDKs do not wait longer than this; told to retry, they would do so at once. */
const MAX_WAIT_S = 60;

const EXHAUSTED = new Set([
  "insufficient_quota",
  "credit_balance_exhausted",
  "billing_error",
  "enforced_spend_limit_reached",
  "contract_spend_limit_reached",
  "ramp_limit_exceeded",
]);

/** Reads the body of an answer, or as much of it as comes and is wanted. */
export async function readBounded(
  upstream: Response,
  bytesMax: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const body: ReadableStream<Uint8Array> | null = upstream.body;
  if (body === null) return { text: "", isWhole: true };
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let isWhole = false;
  try {
    while (bytes < bytesMax) {
      const { done, value } = await reader.read();
      isWhole = done;
      if (done) break;
      pieces.push(value);
      bytes += value.byteLength;
    }
  } catch {
    // The status is known; what there is of the body will do.
  }
  reader.cancel().catch(() => {});
  const text = new TextDecoder().decode(Buffer.concat(pieces).subarray(0, bytesMax));
  return { text, isWhole };
}

/** Returns a wait in seconds, also of a date: nothing else is passed on, no word above all. */
function retryAfterOf(headers: Headers): string | null {
  const value = headers.get("retry-after");
  if (value === null || SECONDS.test(value)) return value;
  return DATE.test(value) ? secondsUntil(value, headers.get("date") ?? "") : null;
}

/** A date is one of the provider's own clock. How far off it is decides whether a client should wait for it. */
function secondsUntil(then: string, now: string): string | null {
  const ms = Date.parse(then) - Date.parse(now);
  return Number.isFinite(ms) ? String(Math.max(0, Math.ceil(ms / 1000))) : null;
}

const SECONDS = /^\d{1,9}(\.\d{1,6})?$/;
const DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

function secondsOf(retryAfter: string): number {
  return Number(retryAfter);
}
