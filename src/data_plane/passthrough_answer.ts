import type { ProviderId } from "../domain/provider.ts";
import { type ErrorAnswer, retryHeader } from "./error_answer.ts";
import { canRetry, isExhausted, type UpstreamRefusal } from "./upstream_refusal.ts";

/** How a kind of upstream trouble looks in OpenAI's vocabulary. */
interface Row {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param?: string;
  /** Overrides what the status says about trying again. */
  readonly retry?: boolean;
}

const CONTEXT_TOO_LONG = /context_length_exceeded|prompt is too long|maximum context length/i;

/**
 * Answers with the provider's own status and an error in OpenAI's vocabulary, for clients that branch on it.
 * A provider's 401 or 403 stays a 502: the client's key is not the one that is wrong.
 */
export function passthroughAnswer(refusal: UpstreamRefusal, provider: ProviderId): ErrorAnswer {
  const row = rowOf(refusal);
  const { status, message, param, body, retryAfter } = refusal;
  const headers: Record<string, string> = retryHeader(row.retry ?? canRetry(refusal));
  if (status !== null) headers["x-upstream-status"] = String(status);
  if (retryAfter !== null) headers["retry-after"] = retryAfter;
  return {
    status: row.status,
    headers,
    error: {
      message: message ?? `The provider answered with status ${status}`,
      type: row.type,
      param: row.param ?? param,
      code: row.code,
      provider,
      upstream_status: status,
      ...filterResult(body),
    },
  };
}

function rowOf(refusal: UpstreamRefusal): Row {
  const { status, code, type, message } = refusal;
  if (status === null) return { status: 502, type: "server_error", code: "upstream_error" };
  if (status === 401 || status === 403) {
    return { status: 502, type: "server_error", code: "upstream_auth_error", retry: false };
  }
  if (status === 402 || isExhausted(code) || isExhausted(type)) {
    return { status: 503, type: "server_error", code: "upstream_quota_exhausted", retry: false };
  }
  if (status === 400 || status === 413 || status === 422) {
    if (CONTEXT_TOO_LONG.test(`${code} ${message}`)) {
      return { ...invalidRequest("context_length_exceeded"), param: "messages" };
    }
    if (status === 413) return { ...invalidRequest("request_too_large"), status: 413 };
    if (code === "content_filter") return { ...invalidRequest(code), param: "prompt" };
    return invalidRequest(status === 422 ? "invalid_value" : code);
  }
  return otherRow(status, refusal);
}

function otherRow(status: number, { code, message }: UpstreamRefusal): Row {
  if (status === 404) {
    const named = /model|deployment/i.test(`${code} ${message}`);
    if (named) return { ...invalidRequest("model_not_found"), status: 404 };
    return { status: 502, type: "server_error", code: "upstream_model_not_found", retry: false };
  }
  if (status === 429) return { status, type: "rate_limit_error", code: "rate_limit_exceeded" };
  if (status === 498 || status === 503 || status === 529) {
    return { status: 503, type: "service_unavailable_error", code: "upstream_overloaded" };
  }
  if (status === 408 || status === 504) {
    return { status: 504, type: "server_error", code: "upstream_timeout" };
  }
  if (status >= 400 && status < 500) return { ...invalidRequest(code), status };
  return { status: 502, type: "server_error", code: "upstream_error" };
}

function invalidRequest(code: string | null): Row {
  return { status: 400, type: "invalid_request_error", code };
}

/** What Azure says about a filtered prompt: its clients read it. */
function filterResult(body: unknown): Record<string, unknown> {
  const error = (body as { error?: { innererror?: unknown } } | null)?.error;
  return error?.innererror === undefined ? {} : { innererror: error.innererror };
}
