import * as v from "valibot";
import { isJsonObject, type JsonObject } from "../std/json.ts";
import { Block, cacheControl, TextBlock } from "./anthropic_blocks.ts";
import type { Question } from "./reply.ts";

const Tool = v.strictObject({
  type: v.optional(v.literal("custom")),
  name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_-]{1,128}$/)),
  description: v.optional(v.string()),
  input_schema: v.looseObject({ type: v.literal("object") }),
  strict: v.optional(v.boolean()),
  cache_control: v.nullish(cacheControl),
  eager_input_streaming: v.optional(v.boolean()),
  defer_loading: v.optional(v.boolean()),
  input_examples: v.optional(v.array(v.looseObject({}))),
  allowed_callers: v.optional(v.array(v.string())),
});

const parallel = { disable_parallel_tool_use: v.optional(v.boolean()) };
const ToolChoice = v.variant("type", [
  v.strictObject({ type: v.literal("auto"), ...parallel }),
  v.strictObject({ type: v.literal("any"), ...parallel }),
  v.strictObject({ type: v.literal("tool"), name: v.string(), ...parallel }),
  v.strictObject({ type: v.literal("none") }),
]);

const display = { display: v.nullish(v.picklist(["summarized", "omitted"])) };
const Thinking = v.variant("type", [
  v.strictObject({ type: v.literal("adaptive"), ...display }),
  v.strictObject({
    type: v.literal("enabled"),
    budget_tokens: v.pipe(v.number(), v.integer(), v.minValue(1024)),
    ...display,
  }),
  v.strictObject({ type: v.literal("disabled") }),
  v.strictObject({ type: v.literal("between_tools") }),
]);

const OutputConfig = v.strictObject({
  effort: v.nullish(v.picklist(["low", "medium", "high", "xhigh", "max"])),
  format: v.nullish(v.strictObject({ type: v.literal("json_schema"), schema: v.looseObject({}) })),
});

/** The body of a Messages request: a key that is not here is refused. */
export const MessagesRequest = v.strictObject({
  model: v.pipe(v.string(), v.nonEmpty()),
  max_tokens: v.pipe(v.number(), v.integer(), v.minValue(0)),
  messages: v.pipe(
    v.array(
      v.strictObject({
        role: v.picklist(["user", "assistant", "system"]),
        // Not a union: its message would hide what is wrong with a block.
        content: v.lazy((content) => (typeof content === "string" ? v.string() : v.array(Block))),
      }),
    ),
    v.minLength(1),
  ),
  system: v.optional(v.union([v.string(), v.array(TextBlock)])),
  stop_sequences: v.optional(v.array(v.string())),
  stream: v.optional(v.boolean()),
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  top_p: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  top_k: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  thinking: v.optional(Thinking),
  output_config: v.optional(OutputConfig),
  tools: v.optional(v.array(Tool)),
  tool_choice: v.optional(ToolChoice),
  metadata: v.optional(
    v.strictObject({ user_id: v.nullish(v.pipe(v.string(), v.maxLength(256))) }),
  ),
  service_tier: v.optional(v.picklist(["auto", "standard_only"])),
  speed: v.optional(v.picklist(["standard", "fast"])),
  cache_control: v.nullish(cacheControl),
  inference_geo: v.nullish(v.string()),
  container: v.nullish(v.string()),
});
export type MessagesRequest = v.InferOutput<typeof MessagesRequest>;
export type Message = MessagesRequest["messages"][number];

/** Returns the blocks of a message; a plain text is one block. */
export function blocksOf(message: Message): readonly Block[] {
  if (typeof message.content !== "string") return message.content;
  return [{ type: "text", text: message.content }];
}

/** Returns what the request asks for. */
export function messagesQuestion(request: MessagesRequest): Question {
  const last = request.messages.at(-1);
  const blocks = last?.role === "user" ? blocksOf(last) : [];
  const texts = blocks.flatMap((block) => (block.type === "text" ? [block.text] : []));
  const schema = request.output_config?.format?.schema;
  const thinking = request.thinking?.type;
  return {
    userText: texts.join(""),
    inputChars: JSON.stringify([request.system ?? "", request.messages, request.tools ?? []])
      .length,
    callTools: toolsToCall(request, blocks),
    schema: isJsonObject(schema) ? schema : null,
    reason: thinking === "adaptive" || thinking === "enabled",
    outputTokensMax: request.max_tokens,
    stops: request.stop_sequences ?? [],
  };
}

function toolsToCall(request: MessagesRequest, blocks: readonly Block[]): Question["callTools"] {
  const choice = request.tool_choice;
  if (choice?.type === "none") return [];
  if (blocks.some((block) => block.type === "tool_result")) return [];
  const single = choice?.disable_parallel_tool_use === true;
  return (request.tools ?? [])
    .filter((tool) => choice?.type !== "tool" || tool.name === choice.name)
    .map((tool) => ({ name: tool.name, schema: tool.input_schema as JsonObject }))
    .slice(0, single ? 1 : 2);
}
