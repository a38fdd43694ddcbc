import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../std/json.ts";
import { messageOfStream } from "./anthropic_aggregate.ts";
import { anthropicFault } from "./anthropic_fault.ts";
import { readAnthropicUsage, usageOf } from "./anthropic_usage.ts";
import { toOpenAiUsage } from "./openai_usage.ts";
import { UpstreamFault, type WholeAnswer } from "./translation.ts";

/** What an answer takes from its request. */
export interface AnswerForm {
  readonly id: string;
  readonly createdS: number;
  /** The model as the client named it. */
  readonly model: string;
  readonly includeUsage: boolean;
  /** Whether the client wants the older `function_call` instead of `tool_calls`. */
  readonly functionCall: boolean;
  /** The tool whose input is the answer's text, if the format of the answer was forced by one. */
  readonly jsonTool: string | null;
  /**
   * Whether the client is given `thinking_blocks`, which carry the signatures that a later call needs. It is
   * if its request shows that it knows about thinking; all others are spared the bytes.
   */
  readonly thinkingBlocks: boolean;
}

/** Said in place of an answer when the provider explains nothing. */
const DECLINED = "The model declined to answer.";

/**
 * Translates a whole answer into a `chat.completion`.
 *
 * @param text One message as JSON, or the event stream of one.
 * @throws {UpstreamFault} If it is neither, or an error.
 */
export function wholeAnswer(text: string, form: AnswerForm): WholeAnswer {
  const message = readMessage(text);
  const content = Array.isArray(message["content"]) ? message["content"] : null;
  if (content === null) throw new UpstreamFault("Cannot read answer: it has no content");
  const parts = readContent(content.filter(isJsonObject), form);
  const usage = usageOf(readAnthropicUsage(message["usage"]));
  const tier = serviceTier(message["usage"]);
  const hasCalls = parts.calls.length > 0;
  const completion = {
    id: form.id,
    object: "chat.completion",
    created: form.createdS,
    model: form.model,
    choices: [
      {
        index: 0,
        message: clientMessage(parts, message, form),
        logprobs: null,
        finish_reason: finishReason(message["stop_reason"], form, hasCalls),
      },
    ],
    ...(usage === null ? {} : { usage: toOpenAiUsage(usage) }),
    ...(tier === null ? {} : { service_tier: tier }),
  };
  const model = message["model"];
  return {
    clientBody: JSON.stringify(completion),
    usage,
    servedModel: typeof model === "string" && model !== "" ? model : null,
    outputBytes: parts.bytes,
  };
}

/**
 * Returns OpenAI's finish reason. A reason not known yet counts as a normal end.
 *
 * @param hasCalls Whether the client sees a tool call; a call that only formed the text is none.
 */
export function finishReason(stopReason: unknown, form: AnswerForm, hasCalls: boolean): string {
  switch (stopReason) {
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "refusal":
      return "content_filter";
    case "tool_use":
      if (!hasCalls) return "stop";
      return form.functionCall ? "function_call" : "tool_calls";
    default:
      return "stop";
  }
}

/** Returns what the client is told when the model refuses. */
export function refusalText(stopDetails: Json | undefined): string {
  const explanation = isJsonObject(stopDetails) ? stopDetails["explanation"] : null;
  return typeof explanation === "string" && explanation !== "" ? explanation : DECLINED;
}

function readMessage(text: string): JsonObject {
  const message = parseJsonObject(text) ?? messageOfStream(text);
  if (message["type"] === "error" || message["error"]) throw anthropicFault(message);
  return message;
}

interface Parts {
  text: string | null;
  reasoning: string | null;
  readonly calls: { id: Json; type: "function"; function: { name: Json; arguments: string } }[];
  readonly thinkingBlocks: JsonObject[];
  readonly annotations: JsonObject[];
  /** Bytes of text, reasoning and arguments, as UTF-8. */
  bytes: number;
}

function readContent(blocks: readonly JsonObject[], form: AnswerForm): Parts {
  const parts: Parts = {
    text: null,
    reasoning: null,
    calls: [],
    thinkingBlocks: [],
    annotations: [],
    bytes: 0,
  };
  for (const block of blocks) {
    if (block["type"] === "text") readText(block, parts);
    else if (block["type"] === "thinking") readThinking(block, parts);
    else if (block["type"] === "redacted_thinking") parts.thinkingBlocks.push(block);
    else if (block["type"] === "tool_use") readCall(block, parts, form);
  }
  return parts;
}

function readText(block: JsonObject, parts: Parts): void {
  const text = textOf(block["text"]);
  const start = parts.text?.length ?? 0;
  parts.text = (parts.text ?? "") + text;
  parts.bytes += Buffer.byteLength(text);
  const citations = Array.isArray(block["citations"]) ? block["citations"] : [];
  for (const citation of citations) {
    if (!isJsonObject(citation) || citation["type"] !== "web_search_result_location") continue;
    const { url, title } = citation;
    const span = { start_index: start, end_index: start + text.length };
    const cited = { ...span, url: textOf(url), title: textOf(title) };
    parts.annotations.push({ type: "url_citation", url_citation: cited });
  }
}

function readThinking(block: JsonObject, parts: Parts): void {
  const thinking = textOf(block["thinking"]);
  parts.reasoning = (parts.reasoning ?? "") + thinking;
  parts.bytes += Buffer.byteLength(thinking);
  parts.thinkingBlocks.push(block);
}

function readCall(block: JsonObject, parts: Parts, form: AnswerForm): void {
  // A stream that was put together keeps arguments as they were written, whole or not.
  const written = block["partial_json"];
  const args = typeof written === "string" ? written : JSON.stringify(block["input"] ?? {});
  parts.bytes += Buffer.byteLength(args);
  if (block["name"] === form.jsonTool) parts.text = (parts.text ?? "") + args;
  else {
    const called = { name: block["name"] ?? "", arguments: args };
    parts.calls.push({ id: block["id"] ?? "", type: "function", function: called });
  }
}

function clientMessage(parts: Parts, message: JsonObject, form: AnswerForm): JsonObject {
  const refused = message["stop_reason"] === "refusal";
  const answer: JsonObject = {
    role: "assistant",
    content: parts.text === "" && refused ? null : parts.text,
    refusal: refused ? refusalText(message["stop_details"]) : null,
  };
  if (parts.reasoning !== null && parts.reasoning !== "") {
    answer["reasoning_content"] = parts.reasoning;
  }
  if (form.thinkingBlocks && parts.thinkingBlocks.length > 0) {
    answer["thinking_blocks"] = parts.thinkingBlocks;
  }
  const [first] = parts.calls;
  if (first !== undefined && form.functionCall) answer["function_call"] = first.function;
  else if (first !== undefined) answer["tool_calls"] = parts.calls;
  if (parts.annotations.length > 0) answer["annotations"] = parts.annotations;
  return answer;
}

function serviceTier(usage: Json | undefined): string | null {
  const tier = isJsonObject(usage) ? usage["service_tier"] : null;
  if (tier === "standard") return "default";
  return tier === "priority" ? tier : null;
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
