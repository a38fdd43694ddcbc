import type { JsonObject } from "../std/json.ts";
import type { MessagesRequest } from "./anthropic_request.ts";
import { thirds } from "./openai_answer.ts";
import type { Reply } from "./reply.ts";

/** How many tokens pass between two pings. */
const TOKENS_PER_PING = 8;

const STOP_REASON = {
  stop: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  tools: "tool_use",
} as const;

/** Returns a whole answer of the Messages API. */
export function wholeMessage(request: MessagesRequest, reply: Reply): JsonObject {
  const ending = { stop_reason: STOP_REASON[reply.ending], stop_sequence: reply.stoppedBy };
  return {
    ...emptyMessage(request, reply),
    content: contentOf(reply),
    ...ending,
    usage: usageOf(reply),
  };
}

/** One event of a stream: its name is its type. */
export type MessageEvent = JsonObject & { readonly type: string };

/** Returns the events of a streamed answer, in order. */
export function* messageEvents(request: MessagesRequest, reply: Reply): Generator<MessageEvent> {
  yield { type: "message_start", message: emptyMessage(request, reply) };
  yield { type: "ping" };
  for (const [index, block] of contentOf(reply).entries()) {
    yield { type: "content_block_start", index, content_block: emptyBlock(block) };
    for (const [count, delta] of deltasOf(block, reply).entries()) {
      if (count > 0 && count % TOKENS_PER_PING === 0) yield { type: "ping" };
      yield { type: "content_block_delta", index, delta };
    }
    yield { type: "content_block_stop", index };
  }
  yield {
    type: "message_delta",
    delta: { stop_reason: STOP_REASON[reply.ending], stop_sequence: reply.stoppedBy },
    usage: { output_tokens: reply.outputTokens, output_tokens_details: thinkingTokens(reply) },
  };
  yield { type: "message_stop" };
}

type ContentBlock =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: JsonObject };

function contentOf(reply: Reply): ContentBlock[] {
  const content: ContentBlock[] = [];
  if (reply.thoughts.length > 0)
    content.push({
      type: "thinking",
      thinking: reply.thoughts.join(""),
      signature: "c3RhbmQtaW4=",
    });
  if (reply.tokens.length > 0) content.push({ type: "text", text: reply.tokens.join("") });
  for (const [index, { name, input }] of reply.toolCalls.entries()) {
    content.push({ type: "tool_use", id: `toolu_standin_${index}`, name, input });
  }
  return content;
}

function emptyBlock(block: ContentBlock): JsonObject {
  if (block.type === "thinking") return { ...block, thinking: "", signature: "" };
  return block.type === "text" ? { ...block, text: "" } : { ...block, input: {} };
}

function deltasOf(block: ContentBlock, reply: Reply): JsonObject[] {
  switch (block.type) {
    case "thinking":
      return [
        ...reply.thoughts.map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature: block.signature },
      ];
    case "text":
      return reply.tokens.map((text) => ({ type: "text_delta", text }));
    case "tool_use":
      // The API opens with an empty piece, and a tool without arguments has no other.
      return ["", ...argumentPieces(block.input)].map((piece) => {
        return { type: "input_json_delta", partial_json: piece };
      });
  }
}

function argumentPieces(input: JsonObject): string[] {
  return Object.keys(input).length === 0 ? [] : thirds(JSON.stringify(input));
}

function emptyMessage(request: MessagesRequest, reply: Reply): JsonObject {
  return {
    id: "msg_standin",
    type: "message",
    role: "assistant",
    model: request.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usageOf(reply), output_tokens: 1, output_tokens_details: null },
  };
}

function usageOf(reply: Reply): JsonObject {
  return {
    input_tokens: reply.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: reply.outputTokens,
    output_tokens_details: thinkingTokens(reply),
    service_tier: "standard",
  };
}

function thinkingTokens(reply: Reply): JsonObject | null {
  return reply.thoughts.length === 0 ? null : { thinking_tokens: reply.thoughts.length };
}
