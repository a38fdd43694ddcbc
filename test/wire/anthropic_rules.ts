import { isJsonObject, type Json, type JsonObject } from "../../src/std/json.ts";
import type { AnthropicModel } from "../../src/wire/anthropic_models.ts";
import { asText } from "./anthropic_answers.ts";

/** The members that each object of a request may have, by its place or type. Anything else is refused upstream. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  request: [
    ..."model max_tokens messages system stop_sequences stream temperature top_p".split(" "),
    ..."thinking output_config tools tool_choice metadata service_tier".split(" "),
  ],
  message: ["role", "content"],
  text: ["type", "text", "cache_control"],
  image: ["type", "source", "cache_control"],
  document: ["type", "source", "title", "cache_control"],
  thinking: ["type", "thinking", "signature"],
  redacted_thinking: ["type", "data"],
  tool_use: ["type", "id", "name", "input", "cache_control"],
  tool_result: ["type", "tool_use_id", "content", "cache_control"],
  tool: ["name", "description", "input_schema", "strict", "cache_control"],
  tool_choice: ["type", "name", "disable_parallel_tool_use"],
  thinking_config: ["type", "budget_tokens", "display"],
  output_config: ["effort", "format"],
  format: ["type", "schema"],
  cache_control: ["type", "ttl"],
  metadata: ["user_id"],
};

/** Returns what Anthropic would refuse in a request body, in words; nothing if it keeps all structural rules. */
export function brokenRules(request: JsonObject, model: AnthropicModel): string[] {
  const broken: string[] = [];
  const rule = (holds: boolean, name: string): void => {
    if (!holds) broken.push(name);
  };
  const messages = objects(request["messages"]);
  checkMembers(request, "request", rule);
  checkOptions(request, rule);
  rule(messages.length > 0, "there is a message");
  rule(
    messages.every(({ role }, at) => role !== messages[at - 1]?.["role"]),
    "roles alternate",
  );
  rule(model.prefill || messages.at(-1)?.["role"] === "user", "a user message comes last");
  for (const block of objects(request["system"])) checkBlock(block, rule);
  for (const message of messages) {
    checkMembers(message, "message", rule);
    const blocks = objects(message["content"]);
    rule(blocks.length > 0, "no message is empty");
    for (const block of blocks) checkBlock(block, rule);
  }
  checkCalls(messages, request, rule);
  checkLimits(request, model, rule);
  const marks = JSON.stringify(request).split('"cache_control":{"type":"ephemeral"').length - 1;
  rule(marks <= 4, "at most four breakpoints");
  return broken;
}

type Rule = (holds: boolean, name: string) => void;

function checkMembers(object: JsonObject, kind: string, rule: Rule): void {
  const known = MEMBERS[kind] ?? [];
  for (const name of Object.keys(object)) rule(known.includes(name), `${kind} has no ${name}`);
}

function checkOptions(request: JsonObject, rule: Rule): void {
  const { tool_choice: choice, thinking, output_config: config, metadata } = request;
  for (const tool of objects(request["tools"])) {
    checkMembers(tool, "tool", rule);
    const schema = tool["input_schema"];
    rule(isJsonObject(schema) && schema["type"] === "object", "a tool takes an object");
    rule(isJsonObject(schema) && !("anyOf" in schema || "allOf" in schema), "of one shape");
  }
  const tools = objects(request["tools"]);
  rule(request["tools"] === undefined || tools.length > 0, "tools are not an empty list");
  if (isJsonObject(choice)) {
    checkMembers(choice, "tool_choice", rule);
    rule(tools.length > 0, "a choice needs tools");
    const named =
      choice["type"] !== "tool" || tools.some((tool) => tool["name"] === choice["name"]);
    rule(named, "the chosen tool is given");
  }
  if (isJsonObject(thinking)) checkMembers(thinking, "thinking_config", rule);
  if (isJsonObject(config)) {
    checkMembers(config, "output_config", rule);
    if (isJsonObject(config["format"])) checkMembers(config["format"], "format", rule);
  }
  if (isJsonObject(metadata)) checkMembers(metadata, "metadata", rule);
}

function checkBlock(block: JsonObject, rule: Rule): void {
  checkMembers(block, asText(block["type"]), rule);
  if (isJsonObject(block["cache_control"])) {
    checkMembers(block["cache_control"], "cache_control", rule);
  }
  if (block["type"] === "text") rule(asText(block["text"]).trim() !== "", "no text is blank");
  if (block["type"] === "tool_use") {
    rule(/^[a-zA-Z0-9_-]+$/.test(asText(block["id"])), "ids have plain characters");
    rule(/^[a-zA-Z0-9_-]{1,128}$/.test(asText(block["name"])), "names have plain characters");
    rule(isJsonObject(block["input"]), "input is an object");
  }
  for (const part of objects(block["content"])) checkBlock(part, rule);
}

/** Every call is answered at the head of the next message, in order, and no result stands anywhere else. */
function checkCalls(messages: readonly JsonObject[], request: JsonObject, rule: Rule): void {
  const all: Json[] = [];
  let open: Json[] = [];
  for (const message of messages) {
    const blocks = objects(message["content"]);
    const results = blocks.filter((block) => block["type"] === "tool_result");
    const answered = results.map((block) => block["tool_use_id"] ?? null);
    rule(JSON.stringify(answered) === JSON.stringify(open), "calls are answered at once, in order");
    const head = blocks.slice(0, results.length);
    rule(
      head.every((block) => block["type"] === "tool_result"),
      "results come first",
    );
    const calls = blocks.filter((block) => block["type"] === "tool_use");
    const tail = calls.length === 0 ? [] : blocks.slice(-calls.length);
    rule(
      tail.every((block) => block["type"] === "tool_use"),
      "calls come last",
    );
    open = calls.map((block) => block["id"] ?? null);
    all.push(...open);
  }
  rule(open.length === 0, "no call stays open");
  rule(new Set(all).size === all.length, "ids are unique");
  rule(all.length === 0 || request["tools"] !== undefined, "calls need tools");
}

function checkLimits(request: JsonObject, model: AnthropicModel, rule: Rule): void {
  const max = Number(request["max_tokens"]);
  rule(Number.isInteger(max) && max >= 1 && max <= model.outputTokensMax, "the limit is in range");
  const sampled = request["temperature"] !== undefined || request["top_p"] !== undefined;
  rule(model.sampling || !sampled, "the model takes no sampling");
  rule(!("temperature" in request && "top_p" in request), "one sampling parameter at a time");
  const { thinking, tool_choice: choice, output_config: config } = request;
  const forced = isJsonObject(choice) && (choice["type"] === "any" || choice["type"] === "tool");
  rule(!forced || model.forcedToolChoice, "the model cannot be forced");
  const effort = isJsonObject(config) ? config["effort"] : undefined;
  rule(effort === undefined || model.efforts.some((each) => each === effort), "a known effort");
  if (!isJsonObject(thinking)) return;
  const { type, budget_tokens: budget } = thinking;
  rule(
    model.thinking.some((kind) => kind === type),
    "a known kind of thinking",
  );
  const off = type === "disabled" || type === "between_tools";
  rule(!off || (effort !== "xhigh" && effort !== "max"), "high effort needs thinking");
  rule(off || !sampled, "thinking excludes sampling");
  if (type !== "enabled") return;
  rule(!forced, "a budget excludes a forced tool");
  rule(Number(budget) >= 1024 && Number(budget) < max, "the budget is in range");
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
