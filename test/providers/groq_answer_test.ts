import { describe, expect, test } from "bun:test";
import { groqChunk, groqCompletion } from "../../src/providers/groq_answer.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";

const USAGE = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const TIMED = { queue_time: 0.01, prompt_time: 0.02, completion_time: 0.03, total_time: 0.05 };

describe("groqChunk()", () => {
  test("returns the same object if there is nothing of Groq's own in it", () => {
    const chunk = { choices: [{ index: 0, delta: { content: "a" }, finish_reason: null }] };
    expect(groqChunk(chunk)).toBe(chunk);
  });

  test("takes usage from x_groq where there is none beside it", () => {
    const choices = [{ index: 0, delta: {}, finish_reason: "stop" }];
    const own = { id: "req_1", usage: { ...USAGE, ...TIMED } };
    expect(groqChunk({ choices, x_groq: own })).toEqual({ choices, usage: USAGE });
    expect(groqChunk({ choices, usage: null, x_groq: own })).toEqual({ choices, usage: USAGE });
  });

  test("prefers usage beside x_groq", () => {
    const beside = { ...USAGE, prompt_tokens_details: { cached_tokens: 1 } };
    const chunk = { choices: [], usage: { ...beside, ...TIMED }, x_groq: { usage: USAGE } };
    expect(groqChunk(chunk)).toEqual({ choices: [], usage: beside });
  });

  test("leaves usage null while there is none", () => {
    expect(groqChunk({ choices: [], usage: null, x_groq: { id: "req_1" } })).toEqual({
      choices: [],
      usage: null,
    });
  });

  test("calls reasoning by its usual name", () => {
    const choice = { index: 0, delta: { role: "assistant", reasoning: "r" }, finish_reason: null };
    expect(groqChunk({ choices: [choice] })).toEqual({
      choices: [{ ...choice, delta: { role: "assistant", reasoning_content: "r" } }],
    });
  });

  test.each([
    ["over capacity", "over capacity", null],
    [{ message: "over capacity", code: "capacity" }, "over capacity", "capacity"],
    [{}, "Cannot complete stream: Groq stopped it", null],
  ])("raises the error %j", (error, message, code) => {
    const chunk = { choices: [], x_groq: { id: "req_1", error } };
    expect(() => groqChunk(chunk)).toThrow(UpstreamFault);
    expect(() => groqChunk(chunk)).toThrow(expect.objectContaining({ message, code, body: chunk }));
  });
});

describe("groqCompletion()", () => {
  test("has every member that OpenAI's answers have, and none of Groq's own", () => {
    const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
    const message = { role: "assistant", reasoning: "r", tool_calls: [call] };
    expect(
      groqCompletion({
        id: "chatcmpl-1",
        choices: [{ index: 0, message, finish_reason: "tool_calls" }],
        usage: { ...USAGE, ...TIMED },
        service_tier: "on_demand",
        x_groq: { id: "req_1" },
      }),
    ).toEqual({
      id: "chatcmpl-1",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            reasoning_content: "r",
            tool_calls: [call],
            content: null,
            refusal: null,
          },
          finish_reason: "tool_calls",
          logprobs: null,
        },
      ],
      usage: USAGE,
      service_tier: "default",
    });
  });

  test("leaves other tiers and what it does not understand alone", () => {
    const answer = { choices: "none", service_tier: "flex", usage: null };
    expect(groqCompletion(answer)).toEqual(answer);
  });
});
