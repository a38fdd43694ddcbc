import { describe, expect, test } from "bun:test";
import { groqMessages } from "../../src/providers/groq_messages.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";

const CALL = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };

describe("groqMessages()", () => {
  test("returns the same array if Groq takes every message as it is", () => {
    const messages: Json[] = [
      { role: "system", content: "s" },
      { role: "user", content: [{ type: "text", text: "u" }] },
      { role: "assistant", content: "a", tool_calls: [CALL] },
      { role: "tool", tool_call_id: "call_1", content: "t" },
      { role: "function", name: "f", content: "t" },
      { role: "oracle", content: "o", name: "left to the provider" },
    ];
    expect(groqMessages(messages, false)).toBe(messages);
    expect(groqMessages("no messages", false)).toBe("no messages");
  });

  const REWRITTEN: readonly (readonly [given: JsonObject, sent: JsonObject])[] = [
    [
      { role: "user", content: "u", name: "ann", timestamp: 1 },
      { role: "user", content: "u" },
    ],
    [
      {
        role: "assistant",
        content: "a",
        refusal: null,
        audio: null,
        annotations: [],
        function_call: null,
      },
      { role: "assistant", content: "a" },
    ],
    [
      { role: "assistant", content: null, refusal: "I may not" },
      { role: "assistant", content: "I may not" },
    ],
    [
      { role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
      { role: "assistant", content: [{ type: "text", text: "no" }] },
    ],
    [
      { role: "assistant", content: "a", tool_calls: [] },
      { role: "assistant", content: "a" },
    ],
    [
      { role: "assistant", content: "a", tool_calls: null },
      { role: "assistant", content: "a" },
    ],
    [
      { role: "assistant", content: null, tool_calls: [{ ...CALL, index: 0 }] },
      { role: "assistant", content: null, tool_calls: [CALL] },
    ],
    [
      { role: "user", content: [{ type: "text", text: "u", prompt_cache_breakpoint: {} }] },
      { role: "user", content: [{ type: "text", text: "u" }] },
    ],
    [
      {
        role: "user",
        content: [{ type: "image_url", image_url: { url: "u", detail: "original" } }],
      },
      { role: "user", content: [{ type: "image_url", image_url: { url: "u", detail: "high" } }] },
    ],
  ];
  test.each(REWRITTEN)("makes of %j the message %j", (given, sent) => {
    const before = structuredClone(given);
    expect(JSON.parse(JSON.stringify(groqMessages([given], false)))).toEqual([sent]);
    expect(given).toEqual(before);
  });

  test("gives reasoning back only to a model that takes it", () => {
    const said = { role: "assistant", content: "a", reasoning_content: "because" };
    expect(groqMessages([said], true)).toEqual([
      { role: "assistant", content: "a", reasoning: "because" },
    ]);
    expect(groqMessages([said], false)).toEqual([{ role: "assistant", content: "a" }]);
    const own = { role: "assistant", content: "a", reasoning: "since" };
    expect(groqMessages([own], true)).toEqual([own]);
    expect(groqMessages([own], false)).toEqual([{ role: "assistant", content: "a" }]);
  });

  const REFUSED: readonly (readonly [given: JsonObject, param: string])[] = [
    [
      { role: "user", content: [{ type: "text", text: "u" }, { type: "input_audio" }] },
      "messages[1].content[1]",
    ],
    [{ role: "user", content: [{ type: "file", file: {} }] }, "messages[1].content[0]"],
    [{ role: "assistant", audio: { id: "audio_1" } }, "messages[1].audio"],
    [
      { role: "assistant", tool_calls: [CALL, { id: "c", type: "custom", custom: {} }] },
      "messages[1].tool_calls[1].type",
    ],
  ];
  test.each(REFUSED)("refuses %j", (given, param) => {
    expect(() => groqMessages([{ role: "user", content: "u" }, given], false)).toThrow(
      expect.objectContaining({ code: "invalid_value", param }),
    );
  });
});
