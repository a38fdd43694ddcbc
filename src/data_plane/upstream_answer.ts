import type { ProviderId } from "../domain/provider.ts";
import { type ErrorAnswer, retryHeader } from "./error_answer.ts";
import { passthroughAnswer } from "./passthrough_answer.ts";
import type { Redactor } from "./redact.ts";
import { canRetry, type UpstreamRefusal } from "./upstream_refusal.ts";

/** Answers a client with what the provider said: wrapped in 502, or with the provider's own status. */
export function upstreamAnswer(
  refusal: UpstreamRefusal,
  provider: ProviderId,
  redactor: Redactor,
  mode: "wrapped" | "passthrough",
): ErrorAnswer {
  const clean = sanitise(refusal, redactor);
  return mode === "wrapped" ? wrappedAnswer(clean, provider) : passthroughAnswer(clean, provider);
}

function wrappedAnswer(refusal: UpstreamRefusal, provider: ProviderId): ErrorAnswer {
  const { status, message, type, param, body, retryAfter } = refusal;
  const headers: Record<string, string> = retryHeader(canRetry(refusal));
  if (status !== null) headers["x-upstream-status"] = String(status);
  if (retryAfter !== null) headers["retry-after"] = retryAfter;
  return {
    status: 502,
    headers,
    error: {
      message: message ?? `The provider answered with status ${status}`,
      type: type ?? "upstream_error",
      param,
      code: "upstream_error",
      provider,
      upstream_status: status,
      upstream_body: body,
    },
  };
}

/** Refused for its key, a provider's own words would tell the client about a key that is not the client's. */
function sanitise(refusal: UpstreamRefusal, redactor: Redactor): UpstreamRefusal {
  const { status, message, type, code, param, body } = refusal;
  if (status === 401 || status === 403) {
    const own = "The provider refused the provider key of this organization, or what it may do";
    return { ...refusal, message: own, type: null, code: null, param: null, body: null };
  }
  const text = (value: string | null) => (value === null ? null : redactor.text(value));
  return {
    ...refusal,
    message: text(message),
    type: text(type),
    code: text(code),
    param: text(param),
    body: redactor.value(body),
  };
}
