import { expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";
import { translateMessages } from "../../src/wire/openai_to_anthropic_messages.ts";

function translate(list: Json, model = "claude-haiku-4-5"): ReturnType<typeof translateMessages> {
  return translateMessages(list, anthropicModel(model));
}

const HI = { role: "user", content: "Hi" };
const CALL = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
const ASKS: JsonObject = { role: "assistant", content: null, tool_calls: [CALL] };
const ANSWERS: JsonObject = { role: "tool", tool_call_id: "c", content: "x" };
const THINKING = { type: "thinking", thinking: "Hm", signature: "s" };

test("roles alternate whatever the order of messages", () => {
  const roles = ["user", "user", "assistant", "assistant", "system", "user"];
  const { messages } = translate(roles.map((role) => ({ role, content: "x" })));
  expect(messages.map(({ role, content }) => [role, content.length])).toEqual([
    ["user", 2],
    ["assistant", 2],
    ["user", 1],
  ]);
});

test("a system message after tool results does not part them from what follows", () => {
  const { system, messages } = translate([HI, ASKS, ANSWERS, { role: "system", content: "s" }, HI]);
  expect(system).toEqual([{ type: "text", text: "s" }]);
  expect(messages.at(-1)?.content.map((block) => block.type)).toEqual(["tool_result", "text"]);
});

test("a system message between a call and its result is refused, as OpenAI refuses it", () => {
  expect(() => translate([HI, ASKS, { role: "system", content: "s" }, ANSWERS])).toThrow(
    expect.objectContaining({ param: "messages[1].tool_calls" }),
  );
});

test("what the rest of a request depends on is told", () => {
  expect(translate([HI])).toMatchObject({
    hasThinking: false,
    lastTurnCallsTools: false,
    prefilled: false,
  });
  const thought = { ...ASKS, thinking_blocks: [THINKING] };
  expect(translate([HI, thought, ANSWERS])).toMatchObject({
    hasThinking: true,
    lastTurnCallsTools: true,
    toolNames: new Set(["f"]),
  });
  expect(translate([HI, ASKS, ANSWERS, { role: "assistant", content: "ok" }, HI])).toMatchObject({
    hasThinking: false,
    lastTurnCallsTools: false,
  });
  expect(translate([HI, { role: "assistant", content: "Well, \n" }])).toMatchObject({
    prefilled: true,
    messages: [{}, { content: [{ text: "Well," }] }],
  });
});

test("a breakpoint on a message stands on its last block, never on thinking", () => {
  const cached = { cache_control: { type: "ephemeral" } };
  const parts = [
    { type: "text", text: "a" },
    { type: "text", text: "b" },
  ];
  const { messages } = translate([
    { role: "user", content: parts, ...cached },
    { role: "assistant", content: null, thinking_blocks: [THINKING], ...cached },
    HI,
  ]);
  expect(messages[0]?.content).toEqual([
    { type: "text", text: "a" },
    { type: "text", text: "b", cache_control: { type: "ephemeral" } },
  ]);
  expect(messages[1]?.content).toEqual([{ type: "thinking", thinking: "Hm", signature: "s" }]);
});

test.each<[string, Json, string]>([
  ["no list", {}, "messages"],
  ["null for a list", null, "messages"],
  ["an empty list", [], "messages"],
  ["only a system text", [{ role: "system", content: "s" }], "messages"],
  ["only an empty answer", [{ role: "assistant", content: "" }], "messages"],
  ["a message that is none", [HI, "x"], "messages[1]"],
  ["no role", [{ content: "x" }], "messages[0].role"],
  ["no content", [{ role: "user" }], "messages[0].content"],
  [
    "an image of the assistant",
    [HI, { role: "assistant", content: [{ type: "image_url" }] }],
    "messages[1].content[0]",
  ],
  [
    "an image of the system",
    [{ role: "system", content: [{ type: "image_url" }] }, HI],
    "messages[0].content[0]",
  ],
  [
    "thinking that is no list",
    [{ role: "assistant", thinking_blocks: {} }, HI],
    "messages[0].thinking_blocks",
  ],
])("a conversation with %s is refused", (_name, list, param) => {
  expect(() => translate(list)).toThrow(expect.objectContaining({ param, status: 400 }));
});

test("a conversation with very many calls, results and parts is translated as it comes", () => {
  const ids = Array.from({ length: 100_000 }, (_, at) => `c${at}`);
  const part = { type: "text", text: "x" };
  const { messages } = translate([
    { role: "user", content: ids.map(() => part) },
    { role: "user", content: ids.map(() => part) },
    { role: "assistant", tool_calls: ids.map((id) => ({ ...CALL, id })) },
    ...ids.map((id) => ({ ...ANSWERS, tool_call_id: id })).reverse(),
  ]);
  expect(messages.map(({ content }) => content.length)).toEqual([200_000, 100_000, 100_000]);
});

test("audio of an earlier answer cannot be sent", () => {
  const spoken = { role: "assistant", audio: { id: "audio_1" } };
  expect(() => translate([HI, spoken, HI])).toThrow(
    expect.objectContaining({ param: "messages[1].audio", code: "unsupported_parameter" }),
  );
});
