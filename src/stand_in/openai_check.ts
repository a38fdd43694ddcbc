import * as v from "valibot";
import type { JsonObject } from "../std/json.ts";
import { ChatRequest } from "./openai_request.ts";
import { openAiRefusal, type Refusal } from "./refusal.ts";

/** Models that think, which take `max_completion_tokens` only. */
const REASONING_MODEL = /^(o\d|gpt-([5-9]|\d\d))/;

/** Refuses a chat request that OpenAI would refuse, or returns it typed. */
export function checkOpenAiChat(body: JsonObject): { request: ChatRequest } | { refusal: Refusal } {
  const parsed = v.safeParse(ChatRequest, body);
  if (!parsed.success) return { refusal: fieldRefusal(parsed.issues[0]) };
  const request = parsed.output;
  const refusal = optionRefusal(request) ?? toolMessageRefusal(request);
  return refusal === null ? { request } : { refusal };
}

/** Refuses the field that a schema objects to. */
export function fieldRefusal(issue: v.BaseIssue<unknown>): Refusal {
  const param = issue.path?.map((item) => String(item.key)).join(".") ?? null;
  return openAiRefusal(400, `Invalid value for '${param ?? "body"}': ${issue.message}`, {
    param,
    code: issue.received === "undefined" ? "missing_required_parameter" : "invalid_value",
  });
}

function optionRefusal(request: ChatRequest): Refusal | null {
  if (request.stream_options && request.stream !== true)
    return openAiRefusal(
      400,
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      {
        param: "stream_options",
      },
    );
  if (REASONING_MODEL.test(request.model) && request.max_tokens != null)
    return openAiRefusal(
      400,
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { param: "max_tokens", code: "unsupported_parameter" },
    );
  if (request.tools == null && request.tool_choice != null && request.tool_choice !== "none")
    return openAiRefusal(400, "'tool_choice' is only allowed when 'tools' are specified.", {
      param: "tool_choice",
    });
  return null;
}

/** Each tool call is answered before anything else is said, and nothing is answered that was not called. */
function toolMessageRefusal(request: ChatRequest): Refusal | null {
  let open = new Set<string>();
  for (const [index, message] of request.messages.entries()) {
    const param = `messages.[${index}].role`;
    if (message.role === "tool") {
      if (open.delete(message.tool_call_id ?? "")) continue;
      return openAiRefusal(
        400,
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        { param },
      );
    }
    if (open.size > 0) return unanswered(open, param);
    open = new Set(message.tool_calls?.map((call) => call.id));
  }
  return open.size > 0 ? unanswered(open, "messages") : null;
}

function unanswered(open: ReadonlySet<string>, param: string): Refusal {
  return openAiRefusal(
    400,
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
    { param },
  );
}
