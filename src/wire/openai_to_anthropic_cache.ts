import { isJsonObject, type JsonObject } from "../std/json.ts";
import type { AnthropicRequest, CacheControl } from "./anthropic.ts";
import { expected, given } from "./openai_to_anthropic_fields.ts";

/** More cache breakpoints than these in one request are refused upstream. */
export const MAX_CACHE_BREAKPOINTS = 4;

/**
 * Reads the cache breakpoint of a message, content part or tool: OpenAI's `prompt_cache_breakpoint`, or
 * `cache_control` in Anthropic's own shape, which several clients send.
 *
 * @throws {ProxyError} If it has another shape.
 */
export function cacheControl(object: JsonObject, path: string): CacheControl | undefined {
  const own = given(object, "cache_control");
  if (own !== undefined) return ownControl(own, `${path}.cache_control`);
  const breakpoint = given(object, "prompt_cache_breakpoint");
  if (breakpoint === undefined) return undefined;
  const param = `${path}.prompt_cache_breakpoint`;
  if (!isJsonObject(breakpoint)) throw expected(param, "an object");
  const ttl = given(breakpoint, "ttl");
  if (ttl === undefined) return { type: "ephemeral" };
  // An hour is the longest lifetime here, and the next one above the other wire's 30 minutes.
  if (ttl === "30m" || ttl === "12h") return { type: "ephemeral", ttl: "1h" };
  throw expected(`${param}.ttl`, '"30m" or "12h"');
}

function ownControl(value: unknown, param: string): CacheControl {
  if (!isJsonObject(value) || value["type"] !== "ephemeral") {
    throw expected(param, 'an object with type "ephemeral"');
  }
  const ttl = given(value, "ttl");
  if (ttl === undefined) return { type: "ephemeral" };
  if (ttl === "5m" || ttl === "1h") return { type: "ephemeral", ttl };
  throw expected(`${param}.ttl`, '"5m" or "1h"');
}

/** Keeps the last breakpoints of a finished request, in the order in which a prompt is read. */
export function limitCacheBreakpoints(request: AnthropicRequest): void {
  const blocks: { cache_control?: CacheControl }[] = [
    ...(request.tools ?? []),
    ...(request.system ?? []),
  ];
  for (const message of request.messages) {
    for (const block of message.content) {
      if (block.type !== "thinking" && block.type !== "redacted_thinking") blocks.push(block);
    }
  }
  const marked = blocks.filter((block) => block.cache_control !== undefined);
  for (const block of marked.slice(0, -MAX_CACHE_BREAKPOINTS)) delete block.cache_control;
}
