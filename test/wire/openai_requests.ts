import fc from "fast-check";
import type { Json, JsonObject } from "../../src/std/json.ts";

/** Texts that a rule of some wire stumbles over. */
const text = fc.oneof(
  fc.constantFrom("", "\n", "Hi", "Bye", "x ", '{"a":1}', "\u{1F642}", "\ud800", "a\u0000b"),
  fc.string({ maxLength: 12 }),
);
const url = fc.constantFrom(
  "https://example.com/a.png",
  "data:image/png;base64,iVBORw0KGgo=",
  "data:image/jpg;base64,AA BB",
  "data:application/pdf;base64,JVBERi0=",
  "data:image/svg+xml;base64,AAAA",
  "ftp://example.com/a.png",
);
const mark = fc.constantFrom<JsonObject>(
  {},
  {},
  { cache_control: { type: "ephemeral" } },
  { prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" } },
);
const textPart = fc.tuple(text, mark).map(([value, marked]): Json => {
  return { type: "text", text: value, ...marked };
});
const imagePart = fc.tuple(url, mark).map(([value, marked]): Json => {
  return { type: "image_url", image_url: { url: value, detail: "auto" }, ...marked };
});
const content = fc.oneof(text, fc.array(textPart, { maxLength: 3 }));
const userContent = fc.oneof(
  fc.constant("Go on."),
  content,
  fc.array(fc.oneof(textPart, imagePart), { maxLength: 3 }),
);

const id = fc.constantFrom("call_1", "call_2", "call_0", "call:1", "call/\u00fc", "x y");
const args = fc.constantFrom("", "{}", '{"a":1}', '{"a":', "[1]", "null", "7", '{"__proto__":1}');
const name = fc.constantFrom("f", "get_weather", "json_response", "a-b");

const call = fc.tuple(id, name, args).map(([callId, called, given]): JsonObject => {
  return { id: callId, type: "function", function: { name: called, arguments: given } };
});
const thinkingBlock = fc.constantFrom<Json>(
  { type: "thinking", thinking: "Hm", signature: "sig" },
  { type: "thinking", thinking: "Hm" },
  { type: "redacted_thinking", data: "x" },
);

/** A turn of the assistant with its tool results, mostly complete and sometimes not. */
const toolTurn = fc
  .record({
    calls: fc.uniqueArray(call, { minLength: 1, maxLength: 3, selector: (each) => each["id"] }),
    said: fc.option(content),
    results: fc.infiniteStream(content),
    reversed: fc.boolean(),
    lost: fc.integer({ min: 0, max: 19 }),
    thinking: fc.option(fc.array(thinkingBlock, { maxLength: 2 })),
  })
  .map(({ calls, said, results, reversed, lost, thinking }): Json[] => {
    const answers = calls.map((each): Json => {
      return { role: "tool", tool_call_id: each["id"] ?? "", content: results.next().value };
    });
    if (lost === 0) answers.pop();
    const assistant: JsonObject = { role: "assistant", content: said, tool_calls: calls };
    if (thinking !== null) assistant["thinking_blocks"] = thinking;
    return [assistant, ...(reversed ? answers.reverse() : answers)];
  });
const functionTurn = fc.tuple(name, args, text).map(([called, given, answer]): Json[] => [
  { role: "assistant", content: null, function_call: { name: called, arguments: given } },
  { role: "function", name: called, content: answer },
]);
const plainTurn = fc.oneof(
  userContent.map((value): Json[] => [{ role: "user", name: "ann", content: value }]),
  content.map((value): Json[] => [{ role: "assistant", content: value }]),
  content.map((value): Json[] => [{ role: "system", content: value }]),
  content.map((value): Json[] => [{ role: "developer", content: value }]),
);
const messages = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: plainTurn }, toolTurn, functionTurn), {
      maxLength: 6,
    }),
    fc.constantFrom(true, true, true, false),
  )
  .map(([turns, asks]): Json[] => [
    ...turns.flat(),
    ...(asks ? [{ role: "user", content: "Well?" }] : []),
  ]);

const schema = fc.constantFrom<Json>(
  { type: "object", properties: { a: { type: "string", minLength: 1 } }, required: ["a"] },
  { type: "object", properties: { next: { $ref: "#" } } },
  { type: "object", additionalProperties: { type: "string" } },
  { allOf: [{ type: "object", properties: { b: { type: "number" } } }] },
  { anyOf: [{ type: "object" }, { type: "null" }] },
  {},
);
const tool = fc.tuple(name, fc.option(schema), fc.boolean()).map(([called, parameters, strict]) => {
  return { type: "function", function: { name: called, parameters, strict } } satisfies Json;
});
const choice = fc.constantFrom<Json>(
  "auto",
  "none",
  "required",
  { type: "function", function: { name: "f" } },
  { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ function: { name: "f" } }] } },
);
const efforts = "none minimal low medium high xhigh max".split(" ");

const everyOption = fc.record<JsonObject>({
  max_tokens: fc.constantFrom(1, 100, 1024, 1025, 30_000, 1_000_000),
  temperature: fc.constantFrom(0, 0.5, 1, 2),
  top_p: fc.constantFrom(0.5, 1),
  stop: fc.constantFrom<Json>("END", [" ", "END"], []),
  tools: fc.uniqueArray(tool, { maxLength: 2, selector: (each) => each.function.name }),
  tool_choice: choice,
  parallel_tool_calls: fc.boolean(),
  functions: fc.constant([{ name: "f" }]),
  function_call: fc.constantFrom<Json>("auto", "none", { name: "f" }),
  response_format: fc.oneof(
    fc.constantFrom<Json>({ type: "text" }, { type: "json_object" }),
    schema.map((each): Json => {
      return { type: "json_schema", json_schema: { name: "x", schema: each } };
    }),
  ),
  reasoning_effort: fc.constantFrom(...efforts),
  thinking: fc.constantFrom<Json>(
    { type: "adaptive" },
    { type: "enabled", budget_tokens: 2000 },
    { type: "disabled" },
    { type: "between_tools" },
  ),
  user: text,
  service_tier: fc.constantFrom("auto", "default", "flex"),
  n: fc.constantFrom(1, 1, 1, 2),
  seed: fc.integer(),
  unheard_of: fc.json().map((value): Json => JSON.parse(value)),
});

/** A few options at a time: with all of them at once hardly any request could be translated. */
const options = everyOption.chain((every) =>
  fc.subarray(Object.keys(every), { maxLength: 4 }).map((names): JsonObject => {
    return Object.fromEntries(names.map((each) => [each, every[each]]));
  }),
);

/** Models with every set of abilities that this wire has. */
export const MODELS = [
  "claude-sonnet-5-5",
  "claude-opus-5-5",
  "claude-opus-5",
  "claude-fable-5",
  "claude-opus-4-8",
  "claude-sonnet-4-6",
  "claude-haiku-4-5",
  "claude-opus-4-1",
  "claude-sonnet-4-20250514",
  "claude-3-haiku-20240307",
];

/** Chat requests that OpenAI's schema allows, of which some can be translated. */
export const openAiRequest = fc
  .tuple(fc.constantFrom(...MODELS), messages, options)
  .map(([model, list, rest]): JsonObject => {
    return { model: `anthropic/${model}`, messages: list, ...rest };
  });
