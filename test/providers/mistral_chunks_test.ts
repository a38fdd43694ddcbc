import { expect, test } from "bun:test";
import { mistralChunks } from "../../src/providers/mistral_chunks.ts";
import type { JsonObject } from "../../src/std/json.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";

function chunk(delta: JsonObject, reason: string | null = null): JsonObject {
  return { id: "c1", choices: [{ index: 0, delta, finish_reason: reason }] };
}

function deltaOf(given: JsonObject): unknown {
  const { choices } = mistralChunks()(given);
  const [choice] = Array.isArray(choices) ? choices : [];
  return choice === undefined ? undefined : Object(choice).delta;
}

test("plain text is the very same object afterwards", () => {
  const rewrite = mistralChunks();
  for (const given of [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "a" }),
    { ...chunk({ content: "" }, "stop"), usage: { prompt_tokens: 1 } },
    { id: "c1" },
  ]) {
    expect(rewrite(given)).toBe(given);
  }
});

test("content in parts becomes text and reasoning", () => {
  const thinking = { type: "thinking", thinking: [{ type: "text", text: "hm" }] };
  expect(deltaOf(chunk({ content: [thinking, { type: "text", text: "a" }] }))).toEqual({
    content: "a",
    reasoning_content: "hm",
  });
  expect(deltaOf(chunk({ content: [thinking] }))).toEqual({ reasoning_content: "hm" });
  expect(deltaOf(chunk({ content: [] }))).toEqual({});
});

test("tool calls are counted over the chunks of one choice, and for each choice", () => {
  const rewrite = mistralChunks();
  const calls = (index: number, ...ids: string[]): JsonObject => ({
    id: "c1",
    choices: [
      {
        index,
        delta: { tool_calls: ids.map((id) => ({ id, index: 0, function: { name: "f" } })) },
        finish_reason: null,
      },
    ],
  });
  const indexes = [
    calls(0, "aaaaaaaaa", "bbbbbbbbb"),
    calls(1, "ccccccccc"),
    calls(0, "ddddddddd"),
  ].map((given) => JSON.stringify(rewrite(given)).match(/"index":\d,"id":"\w+"/g));
  expect(indexes).toEqual([
    ['"index":0,"id":"aaaaaaaaa"', '"index":1,"id":"bbbbbbbbb"'],
    ['"index":0,"id":"ccccccccc"'],
    ['"index":2,"id":"ddddddddd"'],
  ]);
});

test("no tool calls are no member", () => {
  expect(deltaOf(chunk({ content: "a", tool_calls: null }))).toEqual({ content: "a" });
  expect(deltaOf(chunk({ content: "a", tool_calls: [] }))).toEqual({ content: "a" });
});

test("a choice without delta, index or reason gets them", () => {
  expect(mistralChunks()({ choices: [{}] })).toEqual({
    choices: [{ index: 0, delta: {}, finish_reason: null }],
  });
});

test("the model's length is a length, and its error is raised", () => {
  expect(mistralChunks()(chunk({ content: "" }, "model_length"))).toEqual(
    chunk({ content: "" }, "length"),
  );
  expect(() => mistralChunks()(chunk({ content: "" }, "error"))).toThrow(UpstreamFault);
  expect(() => mistralChunks()({ object: "error", message: "gone" })).toThrow("gone");
});

test("two streams count for themselves", () => {
  const given = chunk({ tool_calls: [{ id: "aaaaaaaaa", function: { name: "f" } }] });
  expect(mistralChunks()(given)).toEqual(mistralChunks()(given));
});
