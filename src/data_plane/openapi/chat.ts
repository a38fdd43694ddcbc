import { PROVIDER_IDS } from "../../domain/provider.ts";
import type * as v from "valibot";
import type { ErrorCode } from "../../domain/errors.ts";
import { body, type RouteGroup } from "../../std/route_description.ts";
import { ChatBody } from "../call.ts";
import { ChatCompletion, ChatCompletionChunk, Usage } from "./completion.ts";
import { CALL_ERRORS } from "./errors.ts";

const EXAMPLE: v.InferInput<typeof ChatCompletion> = {
  id: "chatcmpl-Aq1",
  object: "chat.completion",
  created: 1_781_520_000,
  model: "openai/gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello!" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
};

/** Writes a stream as it goes over the wire, each delta an event. */
function stream(...deltas: readonly object[]): string {
  const { id, created, model, usage } = EXAMPLE;
  const last = deltas.length - 1;
  const events = deltas.map((delta, index) => ({
    id,
    object: "chat.completion.chunk",
    created,
    model,
    choices: [{ index: 0, delta, finish_reason: index === last ? "stop" : null }],
    ...(index === last ? { usage } : {}),
  }));
  return [...events.map((event) => JSON.stringify(event)), "[DONE]"]
    .map((data) => `data: ${data}\n\n`)
    .join("");
}

export const chat: RouteGroup<ErrorCode> = {
  name: "Chat",
  about: "Calls to models in OpenAI's format, whatever the provider speaks itself.",
  schemas: { ChatCompletion, ChatCompletionChunk, Usage },
  routes: {
    "POST /inference/v1/chat/completions": {
      id: "createChatCompletion",
      summary: "Complete a chat",
      about:
        "Takes every field of OpenAI's chat completions; listed are those that the proxy itself decides by. What a provider cannot honour is refused by name where it changes the answer's meaning, and else dropped and named in `x-inference-dropped-params`. A stream sends each piece when it arrives, `: ping` after 15 s of silence, and ends with `data: [DONE]`; if the provider fails midway it ends with an event `{\"error\":{...}}` instead.",
      body: body(
        ChatBody,
        {
          model: `\`provider/model\`, where the provider is one of ${PROVIDER_IDS.map((id) => `\`${id}\``).join(", ")}`,
          messages: "The conversation so far, in OpenAI's format",
          stream: "Whether to answer with an event stream",
          stream_options: "`include_usage` asks for usage in a chunk of its own, the last",
          max_tokens: "Bounds the answer; the older name of `max_completion_tokens`",
          max_completion_tokens:
            "Bounds the answer, in tokens. It is held until the call has ended",
          n: "How many answers to give",
        },
        {
          model: "openai/gpt-4o-mini",
          messages: [{ role: "user", content: "Say hello" }],
        },
      ),
      answers: {
        200: {
          about: "The answer, whole or as a stream",
          schema: ChatCompletion,
          example: EXAMPLE,
          stream: {
            schema: ChatCompletionChunk,
            example: stream({ role: "assistant", content: "" }, { content: "Hello!" }, {}),
          },
        },
      },
      errors: [...CALL_ERRORS, "upstream_stream_interrupted"],
    },
  },
};
