import fc from "fast-check";
import { isJsonObject, type Json, type JsonObject } from "../../src/std/json.ts";
import type { AnswerForm } from "../../src/wire/anthropic_to_openai.ts";

/** How a client that asked for nothing special is answered. */
export const PLAIN_FORM: AnswerForm = {
  id: "chatcmpl-call0",
  createdS: 1_700_000_000,
  model: "anthropic/claude-opus-4-8",
  includeUsage: false,
  functionCall: false,
  jsonTool: null,
  thinkingBlocks: true,
};

const text = fc.string({ unit: "binary", maxLength: 20 });
const textBlock = text.map((value): JsonObject => ({ type: "text", text: value }));
const thinking = fc.tuple(text, fc.constantFrom("EqQB", "Cg==")).map(([value, signature]) => {
  return { type: "thinking", thinking: value, signature } satisfies JsonObject;
});
const redacted = text.map((data): JsonObject => ({ type: "redacted_thinking", data: `x${data}` }));
const toolUse = fc
  .tuple(fc.constantFrom("f", "g"), fc.dictionary(fc.string(), fc.json().map(parsed)))
  .map(([name, input]): JsonObject => ({ type: "tool_use", id: "toolu_01A", name, input }));
const serverTool = fc.constant<JsonObject>({
  type: "server_tool_use",
  id: "srvtoolu_1",
  name: "web_search",
  input: {},
});

/** Messages as the provider answers with them. */
export const answer = fc
  .record({
    blocks: fc.array(fc.oneof(textBlock, thinking, redacted, toolUse, serverTool)),
    stopReason: fc.constantFrom("end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"),
    input: fc.nat(),
    output: fc.nat(),
    read: fc.nat(),
  })
  .map(({ blocks, stopReason, input, output, read }): JsonObject => {
    const usage = { input_tokens: input, output_tokens: output, cache_read_input_tokens: read };
    return {
      id: "msg_01",
      type: "message",
      role: "assistant",
      model: "claude-opus-4-8",
      content: blocks,
      stop_reason: stopReason,
      usage,
    };
  });

/** The events that bring a message, with each text in pieces of `pieceChars` characters. */
export function eventsOf(message: JsonObject, pieceChars: number): JsonObject[] {
  const { content, stop_reason, usage, ...rest } = message;
  const blocks = Array.isArray(content) ? content : [];
  const counts = isJsonObject(usage) ? usage : {};
  const start = { ...rest, content: [], stop_reason: null, usage: { ...counts, output_tokens: 1 } };
  return [
    { type: "message_start", message: start },
    ...blocks.flatMap((block, index) => blockEvents(block, index, pieceChars)),
    { type: "message_delta", delta: { stop_reason: stop_reason ?? null }, usage: counts },
    { type: "message_stop" },
  ];
}

/** Returns a text as it is, and nothing for any other value. */
export function asText(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Writes events as the provider sends them. */
export function eventStream(events: readonly JsonObject[]): string {
  return events
    .map((event) => `event: ${asText(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}

function blockEvents(block: Json, index: number, pieceChars: number): JsonObject[] {
  if (!isJsonObject(block)) return [];
  const delta = (type: string, member: string, value: string): JsonObject[] =>
    pieces(value, pieceChars).map((piece) => {
      return { type: "content_block_delta", index, delta: { type, [member]: piece } };
    });
  const between = (): [JsonObject, JsonObject[]] => {
    switch (block["type"]) {
      case "text":
        return [{ ...block, text: "" }, delta("text_delta", "text", asText(block["text"]))];
      case "thinking":
        return [
          { type: "thinking", thinking: "", signature: "" },
          [
            ...delta("thinking_delta", "thinking", asText(block["thinking"])),
            ...delta("signature_delta", "signature", asText(block["signature"])),
          ],
        ];
      case "tool_use":
        return [
          { ...block, input: {} },
          delta("input_json_delta", "partial_json", JSON.stringify(block["input"])),
        ];
      default:
        return [block, []];
    }
  };
  const [content_block, deltas] = between();
  return [
    { type: "content_block_start", index, content_block },
    ...deltas,
    { type: "content_block_stop", index },
  ];
}

function pieces(value: string, pieceChars: number): string[] {
  const list: string[] = [];
  for (let at = 0; at < value.length; at += pieceChars) list.push(value.slice(at, at + pieceChars));
  return list;
}

function parsed(json: string): Json {
  return JSON.parse(json);
}
