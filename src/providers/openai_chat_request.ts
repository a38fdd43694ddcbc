import type { QuirkedRequest } from "../wire/openai_quirks.ts";
import type { ClientRequest } from "../wire/translation.ts";

/** Models that reason refuse `max_tokens`; every model since takes the newer name. */
const TAKES_NEWER_NAME = /^(?:ft:)?(?:o\d|gpt-(?:[5-9]|\d\d))/;

/** Sends `max_tokens` as `max_completion_tokens` to the models that want that; the rest stays as it is. */
export function openAiChatRequest(request: ClientRequest): QuirkedRequest {
  const { body, upstreamModel } = request;
  const given =
    (body["max_tokens"] ?? null) !== null && (body["max_completion_tokens"] ?? null) === null;
  if (!given || !TAKES_NEWER_NAME.test(upstreamModel)) return { body, dropped: [] };
  const { max_tokens: older, max_completion_tokens: _, ...rest } = body;
  return { body: { ...rest, max_completion_tokens: older }, dropped: [] };
}
