import * as v from "valibot";
import { type Json, type JsonObject } from "../std/json.ts";
import { ChatRequest } from "./openai_request.ts";
import { mistralFieldsRefusal, mistralRefusal, type Refusal } from "./refusal.ts";

/** What Mistral takes, and nothing else. */
const FIELDS = [
  "model",
  "messages",
  "temperature",
  "top_p",
  "max_tokens",
  "stream",
  "stop",
  "random_seed",
  "metadata",
  "response_format",
  "tools",
  "tool_choice",
  "presence_penalty",
  "frequency_penalty",
  "n",
  "prediction",
  "parallel_tool_calls",
  "reasoning_effort",
  "prompt_mode",
  "guardrails",
  "prompt_cache_key",
  "service_tier",
  "safe_prompt",
  "document_image_limit",
  "document_page_limit",
];
const MESSAGE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  system: ["role", "content"],
  user: ["role", "content"],
  assistant: ["role", "content", "tool_calls", "prefix"],
  tool: ["role", "content", "tool_call_id", "name"],
};
const TOOL_CALL_ID = /^[a-zA-Z0-9]{9}$/;

/** Refuses a chat request that Mistral would refuse, or returns it typed. */
export function checkMistralChat(
  body: JsonObject,
): { request: ChatRequest } | { refusal: Refusal } {
  const extra = extraFields(body, FIELDS, []);
  if (extra !== null) return { refusal: extra };
  const parsed = v.safeParse(ChatRequest, body);
  if (!parsed.success) return { refusal: schemaRefusal(parsed.issues[0]) };
  const request = parsed.output;
  const refusal = messagesRefusal(request) ?? optionRefusal(request);
  return refusal === null ? { request } : { refusal };
}

function messagesRefusal(request: ChatRequest): Refusal | null {
  for (const [index, message] of request.messages.entries()) {
    const fields = MESSAGE_FIELDS[message.role];
    if (fields === undefined)
      return fieldRefusal("union_tag_invalid", ["messages", index], "Unknown role", message.role);
    const extra = extraFields(message as JsonObject, fields, ["messages", index, message.role]);
    if (extra !== null) return extra;
    const previous = request.messages[index - 1]?.role;
    if (previous === "tool" && message.role === "user") return orderRefusal("user", "tool");
    for (const id of idsOf(message)) {
      if (!TOOL_CALL_ID.test(id))
        return mistralRefusal(
          400,
          `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`,
          "invalid_function_call",
          "3280",
        );
    }
  }
  const last = request.messages.at(-1);
  if (last?.role === "user" || last?.role === "tool" || last?.prefix === true) return null;
  return orderRefusal(last?.role ?? "none", "the end");
}

function optionRefusal(request: ChatRequest): Refusal | null {
  if (request.temperature != null && request.temperature > 1)
    return mistralRefusal(
      400,
      "temperature must be between 0 and 1",
      "invalid_request_error",
      "3001",
    );
  for (const [index, tool] of (request.tools ?? []).entries()) {
    if (tool.function?.parameters !== undefined) continue;
    return fieldRefusal(
      "missing",
      ["tools", index, "function", "parameters"],
      "Field required",
      null,
    );
  }
  return null;
}

function idsOf(message: ChatRequest["messages"][number]): string[] {
  const called = message.tool_calls?.map((call) => call.id) ?? [];
  return message.tool_call_id === undefined ? called : [...called, message.tool_call_id];
}

function extraFields(
  given: JsonObject,
  allowed: readonly string[],
  place: readonly (string | number)[],
): Refusal | null {
  const problems = Object.entries(given)
    .filter(([name]) => !allowed.includes(name))
    .map(([name, input = null]) => {
      return {
        type: "extra_forbidden",
        loc: [...place, name],
        msg: "Extra inputs are not permitted",
        input,
      };
    });
  return problems.length === 0 ? null : mistralFieldsRefusal(problems);
}

/** Refuses the field that a schema objects to. */
export function schemaRefusal(issue: v.BaseIssue<unknown>): Refusal {
  const place = issue.path?.map((item) => item.key as string | number) ?? [];
  const type = issue.received === "undefined" ? "missing" : "value_error";
  return fieldRefusal(type, place, issue.message, (issue.input as Json | undefined) ?? null);
}

function fieldRefusal(type: string, loc: (string | number)[], msg: string, input: Json): Refusal {
  return mistralFieldsRefusal([{ type, loc, msg, input }]);
}

function orderRefusal(role: string, previous: string): Refusal {
  return mistralRefusal(
    400,
    `Unexpected role '${role}' after role '${previous}'`,
    "invalid_request_message_order",
    "3230",
  );
}
