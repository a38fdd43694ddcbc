import { describe, expect, test } from "bun:test";
import {
  finishReason,
  mistralCompletion,
  throwIfError,
} from "../../src/providers/mistral_answer.ts";
import type { JsonObject } from "../../src/std/json.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";

function answer(message: JsonObject, reason = "stop"): JsonObject {
  return { id: "answer-1", choices: [{ index: 0, message, finish_reason: reason }] };
}

function choiceOf(message: JsonObject, reason?: string): unknown {
  const { choices } = mistralCompletion(answer(message, reason));
  return Array.isArray(choices) ? choices[0] : undefined;
}

describe("mistralCompletion()", () => {
  test("has the members that OpenAI's answers have, and none that it does not", () => {
    const given = { role: "assistant", content: "a", tool_calls: null, prefix: false };
    expect(choiceOf(given)).toEqual({
      index: 0,
      message: { role: "assistant", content: "a", refusal: null },
      logprobs: null,
      finish_reason: "stop",
    });
  });

  test("takes content apart into text and reasoning", () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "hm" }], closed: true },
      { type: "text", text: "a" },
    ];
    expect(choiceOf({ role: "assistant", content })).toMatchObject({
      message: { content: "a", reasoning_content: "hm" },
    });
  });

  test("writes tool calls as OpenAI does, with an id for each", () => {
    const named = { id: "aB3dE6gH9", index: 0, function: { name: "f", arguments: { a: 1 } } };
    const unnamed = { id: "null", index: 0, function: { name: "g", arguments: "{}" } };
    const given = { content: "", tool_calls: [named, unnamed] };
    expect(choiceOf(given, "tool_calls")).toMatchObject({
      message: {
        role: "assistant",
        content: "",
        tool_calls: [
          { id: "aB3dE6gH9", type: "function", function: { name: "f", arguments: '{"a":1}' } },
          {
            id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/),
            type: "function",
            function: { name: "g", arguments: "{}" },
          },
        ],
      },
      finish_reason: "tool_calls",
    });
  });

  test("says null where there is no content at all", () => {
    expect(choiceOf({ role: "assistant" })).toMatchObject({ message: { content: null } });
  });

  test("leaves an answer without choices to be refused by its reader", () => {
    const given = { id: "answer-1" };
    expect(mistralCompletion(given)).toBe(given);
  });

  test("raises an error in the guise of an answer", () => {
    const given = {
      object: "error",
      message: { detail: [{ msg: "too long" }] },
      type: "t",
      code: 3051,
    };
    expect(() => mistralCompletion(given)).toThrow(
      expect.objectContaining({ message: "too long", type: "t", code: "3051", body: given }),
    );
    expect(() => throwIfError({ object: "error" })).toThrow(UpstreamFault);
  });
});

describe("finishReason()", () => {
  test.each([
    ["stop", "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["tool_calls", "tool_calls"],
    [null, null],
    [undefined, null],
  ])("makes of %p %p", (given, reason) => {
    expect(finishReason(given, {})).toBe(reason);
  });

  test("raises an end by error", () => {
    expect(() => finishReason("error", { id: "a" })).toThrow(
      expect.objectContaining({ body: { id: "a" }, interrupted: false }),
    );
  });
});
