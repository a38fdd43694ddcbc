import type { JsonObject } from "../std/json.ts";
import type { Dialect } from "./openai_dialects.ts";
import type { ChatRequest } from "./openai_request.ts";
import type { Reply } from "./reply.ts";

/** When every answer was made, in Unix seconds: a stand-in answers the same thing each time. */
export const CREATED_S = 1_780_000_000;

const FINISH = {
  stop: "stop",
  stop_sequence: "stop",
  length: "length",
  tools: "tool_calls",
} as const;

/** Returns a whole answer of the OpenAI wire. */
export function wholeCompletion(request: ChatRequest, reply: Reply, dialect: Dialect): JsonObject {
  const message: JsonObject = {
    role: "assistant",
    content: reply.toolCalls.length > 0 ? null : reply.tokens.join(""),
    ...dialect.messageExtras(reply),
  };
  if (reply.toolCalls.length > 0) message.tool_calls = toolCalls(reply, dialect);
  const choices = indices(request).map((index) => {
    return { index, message, ...dialect.choiceExtras, finish_reason: FINISH[reply.ending] };
  });
  return {
    id: "chatcmpl-standin",
    object: "chat.completion",
    created: CREATED_S,
    model: dialect.servedModel(request.model),
    choices,
    usage: dialect.usage(reply, choices.length),
    ...dialect.answerExtras,
  };
}

/** Returns the chunks of a streamed answer, in order, without the closing `[DONE]`. */
export function* completionChunks(
  request: ChatRequest,
  reply: Reply,
  dialect: Dialect,
): Generator<JsonObject> {
  const asked = request.stream_options?.include_usage === true;
  const usage = dialect.usage(reply, indices(request).length);
  const chunk = (choice: JsonObject, extras: JsonObject = {}): JsonObject => ({
    id: "chatcmpl-standin",
    object: "chat.completion.chunk",
    created: CREATED_S,
    model: dialect.servedModel(request.model),
    choices: [{ logprobs: null, finish_reason: null, ...choice }],
    ...(asked && dialect.usageChunk ? { usage: null } : {}),
    ...extras,
  });
  yield* dialect.preface;
  for (const index of indices(request)) {
    const content = reply.toolCalls.length > 0 ? null : "";
    const first = { role: "assistant", content, ...dialect.firstDeltaExtras };
    yield chunk({ index, delta: first }, dialect.firstChunkExtras);
    for (const delta of deltas(reply, dialect)) yield chunk({ index, delta });
  }
  for (const index of indices(request)) {
    const finish = { index, delta: {}, finish_reason: FINISH[reply.ending] };
    yield chunk(finish, dialect.finishChunkExtras(usage));
  }
  if (asked && dialect.usageChunk) yield { ...chunk({}), choices: [], usage };
}

function* deltas(reply: Reply, dialect: Dialect): Generator<JsonObject> {
  if (dialect.thoughtField !== null) {
    for (const thought of reply.thoughts) yield { [dialect.thoughtField]: thought };
  }
  for (const token of reply.tokens) yield { content: token };
  if (dialect.wholeToolCalls) {
    for (const [index, call] of toolCalls(reply, dialect).entries())
      yield { tool_calls: [{ index, ...call }] };
    return;
  }
  for (const [index, call] of toolCalls(reply, dialect).entries()) {
    const { name, arguments: text } = call.function;
    yield {
      tool_calls: [{ index, id: call.id, type: "function", function: { name, arguments: "" } }],
    };
    for (const piece of thirds(text))
      yield { tool_calls: [{ index, function: { arguments: piece } }] };
  }
}

function toolCalls(reply: Reply, dialect: Dialect) {
  return reply.toolCalls.map(({ name, input }, index) => ({
    id: dialect.toolCallId(index),
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
}

/** Cuts a text into three pieces, so that arguments arrive split inside words. */
export function thirds(text: string): string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  return [text.slice(0, size), text.slice(size, 2 * size), text.slice(2 * size)].filter(Boolean);
}

function indices(request: ChatRequest): number[] {
  return Array.from({ length: request.n ?? 1 }, (_, index) => index);
}
