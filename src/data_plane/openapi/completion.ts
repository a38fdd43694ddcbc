import * as v from "valibot";

const tokens = () => v.pipe(v.number(), v.safeInteger(), v.minValue(0));

function about<S extends v.GenericSchema>(schema: S, text: string) {
  return v.pipe(schema, v.description(text));
}

/** Something that a provider says and nobody here reads. */
const PASSED_ON = about(v.unknown(), "As the provider says it");

/** What a call used. Cached tokens are part of the prompt, reasoning is part of the completion. */
export const Usage = v.looseObject({
  prompt_tokens: about(tokens(), "All input"),
  completion_tokens: v.optional(about(tokens(), "All output; absent for embeddings")),
  total_tokens: about(tokens(), "The two added up"),
  prompt_tokens_details: v.nullish(
    v.looseObject({
      cached_tokens: v.nullish(about(tokens(), "The part that a cache answered")),
      cache_write_tokens: v.nullish(about(tokens(), "The part written to a cache")),
      audio_tokens: v.nullish(about(tokens(), "The part that was audio")),
    }),
  ),
  completion_tokens_details: v.nullish(
    v.looseObject({
      reasoning_tokens: v.nullish(about(tokens(), "The part spent on reasoning")),
      audio_tokens: v.nullish(about(tokens(), "The part that was audio")),
      accepted_prediction_tokens: v.nullish(tokens()),
      rejected_prediction_tokens: v.nullish(tokens()),
    }),
  ),
});

const FINISH_REASON = about(
  v.nullable(v.string()),
  "Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter`",
);

const ToolCall = v.looseObject({
  id: v.string(),
  type: v.literal("function"),
  function: v.looseObject({
    name: v.string(),
    arguments: about(v.string(), "JSON as the model wrote it"),
  }),
});

const Message = v.looseObject({
  role: v.literal("assistant"),
  content: v.nullish(about(v.string(), "The text; null where there are only tool calls")),
  refusal: v.nullish(about(v.string(), "The text of a refusal, where the model refuses")),
  reasoning_content: v.nullish(
    about(v.string(), "What the model thought, where the provider shows it"),
  ),
  tool_calls: v.nullish(v.array(ToolCall)),
  annotations: v.optional(PASSED_ON),
});

/** What surrounds the choices, whole or in a stream. */
const ENVELOPE = {
  id: v.string(),
  created: about(v.pipe(v.number(), v.integer()), "Unix time in seconds"),
  model: about(v.string(), "The model as the client asked for it: `provider/model`"),
  service_tier: v.optional(PASSED_ON),
  system_fingerprint: v.optional(PASSED_ON),
};

/** A whole answer to a chat request. What else a provider says in it is passed on. */
export const ChatCompletion = v.looseObject({
  ...ENVELOPE,
  object: v.literal("chat.completion"),
  choices: v.array(
    v.looseObject({
      index: tokens(),
      message: Message,
      finish_reason: FINISH_REASON,
      logprobs: v.optional(v.unknown()),
    }),
  ),
  usage: Usage,
});

const Delta = v.looseObject({
  role: v.optional(v.literal("assistant")),
  content: v.nullish(about(v.string(), "The next part of the text")),
  refusal: v.nullish(about(v.string(), "The next part of a refusal")),
  reasoning_content: v.nullish(about(v.string(), "The next part of what the model thinks")),
  tool_calls: v.nullish(
    v.array(
      v.looseObject({
        index: about(tokens(), "Which tool call this is a part of"),
        id: v.optional(about(v.string(), "On the first part only")),
        type: v.optional(v.literal("function")),
        function: v.optional(
          v.looseObject({
            name: v.optional(v.string()),
            arguments: v.optional(about(v.string(), "The next part of the JSON")),
          }),
        ),
      }),
    ),
  ),
});

/** One event of a streamed answer. */
export const ChatCompletionChunk = v.looseObject({
  ...ENVELOPE,
  object: v.literal("chat.completion.chunk"),
  choices: about(
    v.array(
      v.looseObject({
        index: tokens(),
        delta: Delta,
        finish_reason: v.optional(FINISH_REASON),
        logprobs: v.optional(v.unknown()),
      }),
    ),
    "Empty on the chunk that carries usage, if the client asked for one",
  ),
  usage: about(
    v.nullish(Usage),
    "On the chunk with the finish reason; with `stream_options.include_usage` on a chunk of its own, the last",
  ),
});
