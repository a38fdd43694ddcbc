import * as v from "valibot";
import { isJsonObject, type JsonObject } from "../std/json.ts";
import type { Question } from "./reply.ts";

const Count = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1)));

const Message = v.looseObject({
  role: v.picklist(["system", "developer", "user", "assistant", "tool", "function"]),
  content: v.nullish(v.union([v.string(), v.array(v.looseObject({ type: v.string() }))])),
  tool_calls: v.nullish(v.pipe(v.array(v.looseObject({ id: v.string() })), v.minLength(1))),
  tool_call_id: v.optional(v.string()),
});

const Tool = v.looseObject({
  type: v.picklist(["function", "custom"]),
  function: v.optional(
    v.looseObject({
      name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,64}$/)),
      parameters: v.optional(v.looseObject({})),
    }),
  ),
});

/** A chat request of the OpenAI wire, as far as the stand-in looks at it. */
export const ChatRequest = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty()),
  messages: v.pipe(v.array(Message), v.minLength(1)),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(v.looseObject({ include_usage: v.nullish(v.boolean()) })),
  max_tokens: Count,
  max_completion_tokens: Count,
  n: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(128))),
  stop: v.nullish(v.union([v.string(), v.pipe(v.array(v.string()), v.maxLength(4))])),
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  top_p: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  tools: v.nullish(v.pipe(v.array(Tool), v.minLength(1), v.maxLength(128))),
  tool_choice: v.nullish(v.union([v.string(), v.looseObject({ type: v.string() })])),
  parallel_tool_calls: v.nullish(v.boolean()),
  response_format: v.nullish(v.looseObject({ type: v.string() })),
  reasoning_effort: v.nullish(v.string()),
});
export type ChatRequest = v.InferOutput<typeof ChatRequest>;

/** Returns what the request asks for. */
export function chatQuestion(request: ChatRequest): Question {
  const last = request.messages.at(-1);
  const stop = request.stop ?? [];
  return {
    userText: last?.role === "user" ? textOf(last.content) : "",
    inputChars: JSON.stringify([request.messages, request.tools ?? []]).length,
    callTools: toolsToCall(request),
    schema: answerSchema(request.response_format),
    reason: typeof request.reasoning_effort === "string" && request.reasoning_effort !== "none",
    outputTokensMax: request.max_completion_tokens ?? request.max_tokens ?? null,
    stops: typeof stop === "string" ? [stop] : stop,
  };
}

/** Returns the text of a message: the content itself, or its text parts joined. */
export function textOf(content: ChatRequest["messages"][number]["content"]): string {
  if (!Array.isArray(content)) return content ?? "";
  return content.map((part) => (typeof part.text === "string" ? part.text : "")).join("");
}

/** A user's message is answered by calling two of the tools at most, a tool's result by a text. */
function toolsToCall(request: ChatRequest): Question["callTools"] {
  const choice = request.tool_choice ?? "auto";
  if (choice === "none" || request.messages.at(-1)?.role === "tool") return [];
  const named =
    typeof choice === "object" && isJsonObject(choice.function) ? choice.function : null;
  const tools = (request.tools ?? [])
    .flatMap((tool) => (tool.function === undefined ? [] : [tool.function]))
    .filter((tool) => named === null || tool.name === named.name)
    .map(({ name, parameters }) => ({ name, schema: (parameters ?? {}) as JsonObject }));
  return tools.slice(0, request.parallel_tool_calls === false ? 1 : 2);
}

function answerSchema(format: ChatRequest["response_format"]): JsonObject | null {
  if (format?.type === "json_object") return ANY_OBJECT;
  if (format?.type !== "json_schema" || !isJsonObject(format.json_schema)) return null;
  return isJsonObject(format.json_schema.schema) ? format.json_schema.schema : ANY_OBJECT;
}

const ANY_OBJECT: JsonObject = { type: "object", properties: { answer: { type: "string" } } };
