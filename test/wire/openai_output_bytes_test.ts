import { expect, test } from "bun:test";
import type { Json } from "../../src/std/json.ts";
import { choiceBytes } from "../../src/wire/openai_output_bytes.ts";

const CASES: readonly [name: string, generated: Json, bytes: number][] = [
  ["text", { role: "assistant", content: "hello" }, 5],
  ["text of another script", { content: "\u4eca\u5929" }, 6],
  ["a refusal", { content: null, refusal: "no" }, 2],
  ["reasoning under either name", { reasoning_content: "abc", reasoning: "de" }, 5],
  [
    "names and arguments of tool calls",
    {
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "get", arguments: '{"a":1}' } },
        { index: 1, function: { arguments: "xy" } },
      ],
    },
    3 + 7 + 2,
  ],
  [
    "custom tool calls",
    { tool_calls: [{ type: "custom", custom: { name: "ab", input: "cde" } }] },
    5,
  ],
  [
    "speech with its transcript",
    { audio: { transcript: "hello", data: "A".repeat(64_000) } },
    5 + 70,
  ],
  ["a first piece of speech", { audio: { id: "audio_1", data: "AAAA" } }, 1],
  ["speech that is none", { audio: { transcript: 7, data: null } }, 0],
  ["the older function call", { function_call: { name: "get", arguments: "{}" } }, 5],
  ["nothing", {}, 0],
  [
    "values of other types",
    { content: [{ type: "text", text: "a" }], refusal: 7, tool_calls: "x", function_call: ["a"] },
    0,
  ],
  ["tool calls that are none", { tool_calls: [null, 1, { function: null, custom: "x" }] }, 0],
];

for (const part of ["message", "delta"] as const) {
  test.each(CASES)(`the bytes of a ${part} with %s are counted`, (_, generated, bytes) => {
    expect(choiceBytes([{ index: 0, [part]: generated }], part)).toBe(bytes);
  });
}

test("all choices are counted, and the other part is not", () => {
  const choices = [
    { delta: { content: "ab" } },
    { delta: { content: "c" }, message: { content: "x" } },
  ];
  expect(choiceBytes(choices, "delta")).toBe(3);
  expect(choiceBytes(choices, "message")).toBe(1);
});

const NO_CHOICES = [undefined, null, "text", {}, [], [null, 1, "a", []], [{ delta: null }], [{}]];

for (const choices of NO_CHOICES) {
  test(`${JSON.stringify(choices)} has no bytes`, () => {
    expect(choiceBytes(choices, "delta")).toBe(0);
  });
}
