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
  isZero,
  omit,
  pass,
  refuse,
  translated,
  unlessNeutral,
} from "./field_rules.ts";
import { mistralMessages } from "./mistral_messages.ts";
import { mistralResponseFormat } from "./mistral_response_format.ts";
import { mistralToolChoice, mistralTools } from "./mistral_tools.ts";
import { sendOutputCap } from "./output_cap.ts";
import { selectTools } from "./tool_choice.ts";

/** Models whose reasoning can be adjusted; the others refuse `reasoning_effort`. */
const ADJUSTABLE = /^mistral-(?:small-(?:latest|26|4)|medium-(?:latest|26|3-5)|large-4)/;

// Mistral answers 422 to any field that it does not know, so this list is complete: all else is left out.
const FIELDS: Readonly<Record<string, FieldRule>> = {
  model: pass,
  messages: pass,
  stream: pass,
  stop: pass,
  top_p: pass,
  n: pass,
  tools: pass,
  tool_choice: pass,
  max_tokens: pass,
  max_completion_tokens: pass,
  presence_penalty: pass,
  frequency_penalty: pass,
  parallel_tool_calls: pass,
  prompt_cache_key: pass,
  metadata: pass,
  random_seed: pass,
  prompt_mode: pass,
  guardrails: pass,
  safe_prompt: pass,
  document_image_limit: pass,
  document_page_limit: pass,
  // Usage comes with every stream, asked for or not.
  stream_options: omit,
  seed,
  prediction,
  temperature: (value, name) => ({
    name,
    value: typeof value === "number" && value > 1 ? 1 : value,
  }),
  response_format: (value, name) => ({ name, value: mistralResponseFormat(value) }),
  service_tier: (value, name) => {
    if (value === "auto" || value === "standard_only") return { name, value };
    return value === "default" ? { name, value: "standard_only" } : "drop";
  },
  store: unlessNeutral(isFalse, drop),
  logprobs: unlessNeutral(isFalse, refuse("Mistral")),
  top_logprobs: unlessNeutral(isZero, refuse("Mistral")),
  logit_bias: unlessNeutral(isEmpty, refuse("Mistral")),
  modalities: unlessNeutral(isTextOnly, refuse("Mistral")),
  audio: refuse("Mistral"),
  web_search_options: refuse("Mistral"),
  moderation: refuse("Mistral"),
  functions: unlessNeutral(isEmpty, refuse("Mistral")),
  function_call: unlessNeutral((value) => value === "auto" || value === "none", refuse("Mistral")),
};

/**
 * Rewrites a chat request for Mistral, which refuses every field that is not its own.
 *
 * @throws {ProxyError} If Mistral cannot honour a field.
 */
export function mistralChatRequest(request: ClientRequest): QuirkedRequest {
  const adjustable = ADJUSTABLE.test(request.upstreamModel);
  const rules = { ...FIELDS, reasoning_effort: adjustable ? translated({ max: "xhigh" }) : drop };
  const ruled = applyFieldRules(request.body, rules, drop);
  const { body, dropped } = sendOutputCap(ruled, "max_tokens");
  const { tools, choice } = selectTools(body, "Mistral");
  return {
    body: withMembers(body, {
      messages: mistralMessages(body["messages"]),
      tools: mistralTools(tools),
      tool_choice: mistralToolChoice(choice),
    }),
    dropped,
  };
}

function seed(value: Json): { name: string; value: Json } {
  if (typeof value === "number" && value < 0) {
    throw invalidValue("seed", "Cannot send seed: Mistral takes none below 0");
  }
  return { name: "random_seed", value };
}

/** OpenAI allows a list of text parts where Mistral wants one string. */
function prediction(value: Json, name: string): { name: string; value: Json } {
  if (!isJsonObject(value) || !Array.isArray(value["content"])) return { name, value };
  const texts = value["content"].map((part) => (isJsonObject(part) ? textOf(part) : ""));
  return { name, value: { type: "content", content: texts.join("") } };
}

function textOf(part: JsonObject): string {
  return typeof part["text"] === "string" ? part["text"] : "";
}

function isTextOnly(value: Json): boolean {
  return Array.isArray(value) && value.every((modality) => modality === "text");
}
