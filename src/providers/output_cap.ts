import type { QuirkedRequest } from "../wire/openai_quirks.ts";

/**
 * Sends the output cap under the one name that a provider wants. If a client gave both
 * `max_completion_tokens` and `max_tokens`, the first counts and the second is named as left out.
 *
 * @param request A request whose fields are not null.
 * @param name The name that the provider wants.
 */
export function sendOutputCap(
  request: QuirkedRequest,
  name: "max_tokens" | "max_completion_tokens",
): QuirkedRequest {
  const { max_tokens: older, max_completion_tokens: newer, ...rest } = request.body;
  if (older !== undefined && newer !== undefined) {
    return { body: { ...rest, [name]: newer }, dropped: [...request.dropped, "max_tokens"] };
  }
  const cap = newer ?? older;
  if (cap === undefined || request.body[name] !== undefined) return request;
  return { body: { ...rest, [name]: cap }, dropped: request.dropped };
}
