import { invalidValue, unsupportedParameter } from "../domain/errors.ts";
import type { Json, JsonObject } from "../std/json.ts";
import type { AnthropicMessage, Block, TextBlock } from "./anthropic.ts";
import type { AnthropicModel } from "./anthropic_models.ts";
import { cacheControl } from "./openai_to_anthropic_cache.ts";
import { ToolCalls } from "./openai_to_anthropic_calls.ts";
import {
  assistantPart,
  contentBlocks,
  textPart,
  thinkingBlock,
  userPart,
} from "./openai_to_anthropic_content.ts";
import { expected, givenList, objectAt } from "./openai_to_anthropic_fields.ts";

/** A conversation in the other wire's form, and what the rest of the request depends on in it. */
export interface Conversation {
  readonly system: TextBlock[];
  readonly messages: AnthropicMessage[];
  /** Names of the tools called in it. */
  readonly toolNames: ReadonlySet<string>;
  /** Whether any message carries thinking of an earlier answer. */
  readonly hasThinking: boolean;
  /** Whether the last assistant message calls tools. */
  readonly lastTurnCallsTools: boolean;
  /** Whether it ends with the beginning of the answer. */
  readonly prefilled: boolean;
}

/**
 * Translates `messages`: system texts come out in front, neighbours of the same role become one message,
 * and the results of tool calls follow them at once.
 *
 * @throws {ProxyError} If a message has no counterpart or stands in the wrong place.
 */
export function translateMessages(list: Json | undefined, model: AnthropicModel): Conversation {
  if (!Array.isArray(list) || list.length === 0)
    throw expected("messages", "a list with a message");
  const system: TextBlock[] = [];
  const messages: AnthropicMessage[] = [];
  const calls = new ToolCalls();
  for (const [index, value] of list.entries()) {
    const path = `messages[${index}]`;
    const message = objectAt(value, path);
    const role = message["role"];
    if (role === "tool" || role === "function") {
      calls.take(message, path);
      continue;
    }
    add(messages, "user", calls.results());
    if (role === "system" || role === "developer") append(system, systemBlocks(message, path));
    else if (role === "user") add(messages, "user", userBlocks(message, path));
    else if (role === "assistant") {
      add(messages, "assistant", assistantBlocks(message, path, calls, model));
    } else throw expected(`${path}.role`, "a role of a chat");
  }
  add(messages, "user", calls.results());
  const prefilled = trimPrefill(messages, model);
  if (messages.length === 0) throw expected("messages", "a message of a user");
  const lastTurn = messages.findLast((message) => message.role === "assistant");
  return {
    system,
    messages,
    toolNames: calls.names,
    hasThinking: messages.some((message) => message.content.some(isThinking)),
    lastTurnCallsTools: lastTurn?.content.some((block) => block.type === "tool_use") ?? false,
    prefilled,
  };
}

function add(messages: AnthropicMessage[], role: AnthropicMessage["role"], blocks: Block[]): void {
  if (blocks.length === 0) return;
  const last = messages.at(-1);
  if (last?.role === role) append(last.content, blocks);
  else messages.push({ role, content: blocks });
}

/** Appends one by one: a list as arguments of one call must fit on the stack. */
function append<B>(list: B[], added: readonly B[]): void {
  for (const each of added) list.push(each);
}

function systemBlocks(message: JsonObject, path: string): TextBlock[] {
  const blocks = contentBlocks(message["content"], `${path}.content`, textPart);
  markLast(blocks, message, path);
  return blocks;
}

function userBlocks(message: JsonObject, path: string): Block[] {
  const blocks = contentBlocks(message["content"], `${path}.content`, userPart);
  if (blocks.length === 0) throw expected(`${path}.content`, "content that is not blank");
  markLast(blocks, message, path);
  return blocks;
}

/** Thinking comes first and calls come last: that is how the model wrote them. */
function assistantBlocks(
  message: JsonObject,
  path: string,
  calls: ToolCalls,
  model: AnthropicModel,
): Block[] {
  if ((message["audio"] ?? null) !== null) {
    const message = `Cannot translate "${path}.audio": this model has no audio`;
    throw unsupportedParameter(`${path}.audio`, message);
  }
  const content = contentBlocks<Block>(message["content"], `${path}.content`, assistantPart);
  const refusal = message["refusal"];
  if (typeof refusal === "string") {
    append(content, contentBlocks(refusal, `${path}.refusal`, textPart));
  }
  const apart = givenList(message, "thinking_blocks", `${path}.thinking_blocks`) ?? [];
  // Clients that put thinking into the content may list it a second time.
  const thinking = content.some(isThinking) ? [] : apart.map(thinkingBlock);
  const blocks: Block[] = thinking.filter((block) => block !== null);
  append(blocks, content);
  append(blocks, calls.callsOf(message, path));
  markLast(blocks, message, path);
  return model.thinking.length > 0 ? blocks : blocks.filter((block) => !isThinking(block));
}

function isThinking(block: Block): boolean {
  return block.type === "thinking" || block.type === "redacted_thinking";
}

/** A breakpoint on a message stands on its last block. */
function markLast(blocks: Block[], message: JsonObject, path: string): void {
  const control = cacheControl(message, path);
  const last = blocks.at(-1);
  if (control === undefined || last === undefined) return;
  if (last.type !== "thinking" && last.type !== "redacted_thinking") last.cache_control = control;
}

/**
 * Readies a conversation that ends with the beginning of the answer, and says whether it still does.
 * Blank space at its end is refused upstream.
 */
function trimPrefill(messages: AnthropicMessage[], model: AnthropicModel): boolean {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return false;
  if (!model.prefill) {
    throw invalidValue("messages", 'Cannot translate "messages": it must end with a user message');
  }
  const block = last.content.at(-1);
  if (block?.type === "text") block.text = block.text.trimEnd();
  return true;
}
