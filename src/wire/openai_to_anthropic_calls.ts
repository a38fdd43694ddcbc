import { invalidValue, type ProxyError } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../std/json.ts";
import type { ImageBlock, TextBlock, ToolResultBlock, ToolUseBlock } from "./anthropic.ts";
import { cacheControl } from "./openai_to_anthropic_cache.ts";
import { contentBlocks, isBlank, resultPart } from "./openai_to_anthropic_content.ts";
import { expected, given, givenList, objectAt } from "./openai_to_anthropic_fields.ts";
import { TOOL_NAME } from "./openai_to_anthropic_tools.ts";

/** The calls of one assistant message, and the results that came for them so far, in the order of the calls. */
interface OpenCalls {
  readonly path: string;
  /** By the id that the client wrote; null for the older function call, which has none. */
  readonly calls: ReadonlyMap<Json | undefined, OpenCall>;
}

interface OpenCall {
  readonly upstreamId: string;
  result: ToolResultBlock | null;
}

/**
 * Follows tool calls and their results through a conversation. The other wire wants every call answered in
 * the very next message, so results are collected and given out together.
 */
export class ToolCalls {
  /** Names of all tools that were called. */
  readonly names = new Set<string>();
  readonly #uses = new Map<string, number>();
  #functionCalls = 0;
  #open: OpenCalls | null = null;

  /**
   * Translates the calls of an assistant message, which stay open until `results`.
   *
   * @throws {ProxyError} If a call has another shape, or an id stands twice.
   */
  callsOf(message: JsonObject, path: string): ToolUseBlock[] {
    const list = givenList(message, "tool_calls", `${path}.tool_calls`) ?? [];
    const blocks: ToolUseBlock[] = [];
    const calls = new Map<Json | undefined, OpenCall>();
    for (const [index, value] of list.entries()) {
      const callPath = `${path}.tool_calls[${index}]`;
      const call = objectAt(value, callPath);
      const clientId = this.#clientId(call, callPath, calls);
      const upstreamId = this.#upstreamId(clientId);
      blocks.push(this.#block(upstreamId, call["function"], `${callPath}.function`));
      calls.set(clientId, { upstreamId, result: null });
    }
    const older = given(message, "function_call");
    if (older !== undefined && calls.size === 0) {
      this.#functionCalls += 1;
      const upstreamId = `call_fn_${this.#functionCalls}`;
      blocks.push(this.#block(upstreamId, older, `${path}.function_call`));
      calls.set(null, { upstreamId, result: null });
    }
    const member = list.length > 0 ? "tool_calls" : "function_call";
    if (calls.size > 0) this.#open = { path: `${path}.${member}`, calls };
    return blocks;
  }

  /** Takes a message with the role `tool` or `function`. @throws {ProxyError} If it answers no open call. */
  take(message: JsonObject, path: string): void {
    const older = message["role"] === "function";
    const clientId = older ? null : message["tool_call_id"];
    const call = this.#open?.calls.get(clientId);
    if (call === undefined || call.result !== null) {
      const param = older ? `${path}.role` : `${path}.tool_call_id`;
      throw invalidValue(param, `Cannot translate "${path}": it answers no open tool call`);
    }
    call.result = resultBlock(message, path, call.upstreamId);
  }

  /** Closes the open calls and returns their results. @throws {ProxyError} If one has none. */
  results(): ToolResultBlock[] {
    const open = this.#open;
    this.#open = null;
    if (open === null) return [];
    return Array.from(open.calls.values(), (call) => {
      if (call.result !== null) return call.result;
      throw unanswered(open.path);
    });
  }

  #clientId(
    call: JsonObject,
    path: string,
    calls: ReadonlyMap<Json | undefined, OpenCall>,
  ): string {
    const type = given(call, "type") ?? "function";
    if (type !== "function") throw expected(`${path}.type`, '"function"');
    const id = call["id"];
    if (typeof id !== "string" || id === "") throw expected(`${path}.id`, "a string");
    if (calls.has(id)) {
      throw invalidValue(`${path}.id`, `Cannot translate "${path}": its id stands twice`);
    }
    return id;
  }

  /** Keeps an id that fits, and makes another one, always the same, where it does not or was used before. */
  #upstreamId(clientId: string): string {
    const before = this.#uses.get(clientId) ?? 0;
    this.#uses.set(clientId, before + 1);
    // Ids must differ over the whole conversation; some clients count from 0 again in each turn.
    if (before > 0) return hashedId(`${clientId}\n${before}`);
    return /^[a-zA-Z0-9_-]+$/.test(clientId) ? clientId : hashedId(clientId);
  }

  #block(id: string, called: Json | undefined, path: string): ToolUseBlock {
    const target = objectAt(called, path);
    const name = target["name"];
    if (typeof name !== "string" || !TOOL_NAME.test(name)) {
      throw expected(`${path}.name`, "up to 128 letters, digits, underscores and hyphens");
    }
    this.names.add(name);
    return { type: "tool_use", id, name, input: inputOf(target["arguments"], path) };
  }
}

function resultBlock(message: JsonObject, path: string, id: string): ToolResultBlock {
  const block: ToolResultBlock = { type: "tool_result", tool_use_id: id };
  const content = message["content"];
  const parts: Json[] = Array.isArray(content) ? content : [];
  if (typeof content === "string") {
    if (!isBlank(content)) block.content = content;
  } else {
    const blocks = contentBlocks(content, `${path}.content`, resultPart);
    if (blocks.length > 0) block.content = blocks.map(withoutControl);
  }
  const controls = [message, ...parts].map((value) =>
    isJsonObject(value) ? cacheControl(value, path) : undefined,
  );
  const control = controls.findLast((each) => each !== undefined);
  if (control !== undefined) block.cache_control = control;
  return block;
}

/** A result is cached as a whole, so its parts carry no breakpoint of their own. */
function withoutControl(block: TextBlock | ImageBlock): TextBlock | ImageBlock {
  const { cache_control: _control, ...rest } = block;
  return rest;
}

/** Input must be an object: whatever else a model once wrote is kept as text in one. */
function inputOf(written: Json | undefined, path: string): JsonObject {
  if (written === undefined || written === null || written === "") return {};
  if (isJsonObject(written)) return written;
  if (typeof written !== "string") throw expected(`${path}.arguments`, "a string");
  return parseJsonObject(written) ?? { _raw_arguments: written };
}

function hashedId(text: string): string {
  return `call_${new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 24)}`;
}

function unanswered(path: string): ProxyError {
  return invalidValue(
    path,
    `Cannot translate "${path}": not every call is answered right after it`,
  );
}
