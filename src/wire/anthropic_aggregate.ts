import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../std/json.ts";
import { type SseEvent, SseParser } from "../std/sse.ts";
import { anthropicFault } from "./anthropic_fault.ts";
import { UpstreamFault } from "./translation.ts";

/** Which member of a block each type of delta adds to. */
const MEMBERS = new Map([
  ["text_delta", "text"],
  ["thinking_delta", "thinking"],
  ["signature_delta", "signature"],
  ["input_json_delta", "partial_json"],
]);

/**
 * Puts the event stream of one message together into the message. The input of tools is left as text in
 * `partial_json`, because it may have been cut off.
 *
 * @throws {UpstreamFault} If it holds an error, is no such stream, or ends before its end.
 */
export function messageOfStream(text: string): JsonObject {
  let message: JsonObject | null = null;
  const blocks = new Map<Json, JsonObject>();
  for (const event of eventsOf(text)) {
    if (event.name === "ping") continue;
    const data = parseJsonObject(event.data);
    if (data === null) throw unreadable();
    if (data["type"] === "error" || event.name === "error") throw anthropicFault(data);
    if (data["type"] === "message_start" && isJsonObject(data["message"])) {
      message ??= { ...data["message"] };
    } else if (message !== null) {
      if (data["type"] === "message_stop")
        return { ...message, content: contentOf(message, blocks) };
      if (data["type"] === "message_delta") readEnd(message, data);
      else readBlock(blocks, data);
    }
  }
  if (message === null) throw unreadable();
  throw new UpstreamFault("Cannot read answer: the provider ended it before its end", {
    interrupted: true,
  });
}

function eventsOf(text: string): SseEvent[] {
  const parser = new SseParser();
  try {
    return parser.push(new TextEncoder().encode(text));
  } catch (error) {
    if (error instanceof RangeError) throw unreadable();
    throw error;
  }
}

function unreadable(): UpstreamFault {
  return new UpstreamFault("Cannot read answer: it is neither JSON nor a stream of events");
}

function contentOf(message: JsonObject, blocks: ReadonlyMap<Json, JsonObject>): Json[] {
  const filled = Array.isArray(message["content"]) ? message["content"] : [];
  return [...filled, ...blocks.values()];
}

function readBlock(blocks: Map<Json, JsonObject>, data: JsonObject): void {
  const { type, index = null, content_block: block, delta } = data;
  if (type === "content_block_start" && isJsonObject(block)) blocks.set(index, { ...block });
  const target = blocks.get(index);
  if (type !== "content_block_delta" || target === undefined || !isJsonObject(delta)) return;
  const deltaType = delta["type"];
  const member = typeof deltaType === "string" ? MEMBERS.get(deltaType) : undefined;
  const part = member === undefined ? null : delta[member];
  if (member === undefined || typeof part !== "string" || part === "") return;
  const before = target[member];
  target[member] = (typeof before === "string" ? before : "") + part;
}

/** Counts of a stream are totals so far; null says nothing about what was told before. */
function readEnd(message: JsonObject, data: JsonObject): void {
  for (const name of ["delta", "usage"]) {
    const told = data[name];
    if (!isJsonObject(told)) continue;
    const target = name === "delta" ? message : usageOf(message);
    for (const [member, value] of Object.entries(told)) {
      if (value !== null && value !== undefined) target[member] = value;
    }
  }
}

function usageOf(message: JsonObject): JsonObject {
  const usage = isJsonObject(message["usage"]) ? { ...message["usage"] } : {};
  message["usage"] = usage;
  return usage;
}
