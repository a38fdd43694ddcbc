import type { JsonObject } from "../std/json.ts";
import { checkOpenAiChat } from "./openai_check.ts";
import type { ChatRequest } from "./openai_request.ts";
import { openAiRefusal, type Refusal } from "./refusal.ts";

/** Refuses a chat request that Groq would refuse, or returns it typed. */
export function checkGroqChat(body: JsonObject): { request: ChatRequest } | { refusal: Refusal } {
  for (const field of ["logprobs", "logit_bias", "top_logprobs"]) {
    if (body[field] !== undefined) return { refusal: unsupported(field) };
  }
  if (body.n !== undefined && body.n !== 1) return { refusal: unsupported("n") };
  const checked = checkOpenAiChat(body);
  if ("refusal" in checked) return checked;
  const index = checked.request.messages.findIndex((message) => message.name !== undefined);
  if (index !== -1) return { refusal: unsupported(`messages.${index}.name`) };
  const { response_format: format, tools } = checked.request;
  if (tools != null && format != null && format.type !== "text")
    return {
      refusal: openAiRefusal(400, "json mode cannot be combined with tool/function calling"),
    };
  return checked;
}

function unsupported(field: string): Refusal {
  return openAiRefusal(400, `property '${field}' is unsupported`, { param: field });
}
