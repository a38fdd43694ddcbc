import { describe, expect, test } from "bun:test";
import { mistralMessages } from "../../src/providers/mistral_messages.ts";
import { mistralToolId } from "../../src/providers/mistral_tool_id.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";

const USER = { role: "user", content: "u" };
const call = (id: string): JsonObject => ({
  id,
  type: "function",
  function: { name: "f", arguments: "{}" },
});

function sent(...messages: Json[]): unknown {
  return JSON.parse(JSON.stringify(mistralMessages(messages)));
}

describe("mistralMessages()", () => {
  const REWRITTEN: readonly (readonly [given: JsonObject, sent: JsonObject])[] = [
    [
      { role: "developer", content: "d", name: "n" },
      { role: "system", content: "d" },
    ],
    [
      { role: "system", content: [{ type: "text", text: "s" }] },
      { role: "system", content: [{ type: "text", text: "s" }] },
    ],
    [
      { role: "user", content: "u", name: "n" },
      { role: "user", content: "u" },
    ],
    [
      { role: "tool", content: null, tool_call_id: "aB3dE6gH9", name: "f" },
      { role: "tool", content: "", tool_call_id: "aB3dE6gH9", name: "f" },
    ],
    [
      { role: "assistant", content: "a", refusal: null, reasoning_content: "r", audio: null },
      { role: "assistant", content: "a" },
    ],
    [
      { role: "assistant", content: null, refusal: "no" },
      { role: "assistant", content: "no" },
    ],
    [
      { role: "assistant", content: null, tool_calls: [{ ...call("aB3dE6gH9"), index: 0 }] },
      { role: "assistant", content: "", tool_calls: [call("aB3dE6gH9")] },
    ],
    [
      { role: "assistant", content: "a", tool_calls: [] },
      { role: "assistant", content: "a" },
    ],
    [
      { role: "assistant", content: "a", prefix: true },
      { role: "assistant", content: "a", prefix: true },
    ],
  ];
  test.each(REWRITTEN)("makes of %j the message %j", (given, expected) => {
    const before = structuredClone(given);
    expect(
      sent(given, USER.role === given["role"] ? given : { role: "system", content: "s" }),
    ).toEqual([
      expected,
      USER.role === given["role"] ? expected : { role: "system", content: "s" },
    ]);
    expect(given).toEqual(before);
  });

  test("gives a call and its result the same id", () => {
    const result = { role: "tool", tool_call_id: "call_1", content: "t" };
    const id = mistralToolId("call_1");
    expect(sent(USER, { role: "assistant", tool_calls: [call("call_1")] }, result)).toEqual([
      USER,
      { role: "assistant", content: "", tool_calls: [call(id)] },
      { ...result, tool_call_id: id },
    ]);
  });

  test("marks a last assistant message as the beginning of the answer, unless it calls tools", () => {
    expect(sent(USER, { role: "assistant", content: "And so" })).toEqual([
      USER,
      { role: "assistant", content: "And so", prefix: true },
    ]);
    expect(sent(USER, { role: "assistant", tool_calls: [call("aB3dE6gH9")] })).toEqual([
      USER,
      { role: "assistant", content: "", tool_calls: [call("aB3dE6gH9")] },
    ]);
  });

  const REFUSED: readonly (readonly [messages: Json[], param: string])[] = [
    [[{ role: "tool", content: "t", tool_call_id: "c" }, USER], "messages[1].role"],
    [[USER, { role: "function", name: "f", content: "t" }], "messages[1].role"],
    [[{ content: "u" }], "messages[0].role"],
    [["u"], "messages[0]"],
    [[USER, { role: "assistant", audio: { id: "a" } }], "messages[1].audio"],
    [[USER, { role: "assistant", function_call: { name: "f" } }], "messages[1].function_call"],
    [
      [USER, { role: "assistant", tool_calls: [{ id: "c", type: "custom", custom: {} }] }],
      "messages[1].tool_calls[0].type",
    ],
    [[{ role: "user", content: [{ type: "video" }] }], "messages[0].content[0]"],
  ];
  test.each(REFUSED)("refuses %j", (messages, param) => {
    expect(() => mistralMessages(messages)).toThrow(
      expect.objectContaining({ code: "invalid_value", param }),
    );
  });

  test("leaves what is no list of messages to the provider", () => {
    expect(mistralMessages(undefined)).toBeUndefined();
    expect(mistralMessages("u")).toBe("u");
  });
});
