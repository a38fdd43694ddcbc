import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import type { QuirkedRequest } from "../wire/openai_quirks.ts";
import type { ClientRequest } from "../wire/translation.ts";
import { withMembers } from "./edit_value.ts";
import {
  applyFieldRules,
  drop,
  type FieldRule,
  isEmpty,
  isFalse,
  isOne,
  isZero,
  pass,
  refuse,
  unlessNeutral,
} from "./field_rules.ts";
import { groqMessages } from "./groq_messages.ts";
import { groqReasoning } from "./groq_reasoning.ts";
import { sendOutputCap } from "./output_cap.ts";
import { selectTools } from "./tool_choice.ts";

const SERVICE_TIERS = new Map([
  ["auto", "auto"],
  ["default", "on_demand"],
  ["on_demand", "on_demand"],
  ["flex", "flex"],
  ["performance", "performance"],
]);

// Groq refuses some fields by their mere presence, so neutral values are left out too.
const FIELDS: Readonly<Record<string, FieldRule>> = {
  n: unlessNeutral(isOne, refuse("Groq")),
  logprobs: unlessNeutral(isFalse, refuse("Groq")),
  top_logprobs: unlessNeutral(isZero, refuse("Groq")),
  logit_bias: unlessNeutral(isEmpty, refuse("Groq")),
  // No model of Groq heeds these.
  frequency_penalty: unlessNeutral(isZero, drop),
  presence_penalty: unlessNeutral(isZero, drop),
  metadata: unlessNeutral(isEmpty, drop),
  store: unlessNeutral(isFalse, drop),
  service_tier: (value, name) => {
    const tier = typeof value === "string" ? SERVICE_TIERS.get(value) : undefined;
    return tier === undefined ? "drop" : { name, value: tier };
  },
};

/**
 * Rewrites a chat request for Groq, which takes OpenAI's fields but for a known few. Unknown fields pass.
 *
 * @throws {ProxyError} If Groq cannot honour a field.
 */
export function groqChatRequest(request: ClientRequest): QuirkedRequest {
  const reasoning = groqReasoning(request.upstreamModel);
  const rules = { ...FIELDS, reasoning_effort: reasoning.effort };
  const capped = sendOutputCap(applyFieldRules(request.body, rules, pass), "max_completion_tokens");
  const { tools, choice } = selectTools(capped.body, "Groq");
  refuseFormatWithTools(capped.body["response_format"], tools);
  const messages = groqMessages(capped.body["messages"], reasoning.reasons);
  return {
    body: withMembers(capped.body, { messages, tools, tool_choice: choice }),
    dropped: capped.dropped,
  };
}

function refuseFormatWithTools(format: Json | undefined, tools: Json | undefined): void {
  if (!isJsonObject(format) || format["type"] === "text" || !Array.isArray(tools)) return;
  if (!tools.some((tool) => isJsonObject(tool) && isFunction(tool))) return;
  throw invalidValue(
    "response_format",
    "Cannot send response_format: Groq makes no JSON output in a request with function tools",
  );
}

function isFunction(tool: JsonObject): boolean {
  return tool["type"] === "function";
}
