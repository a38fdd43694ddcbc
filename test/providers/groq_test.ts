import { expect, test } from "bun:test";
import type { ChatCompletionCreateParams } from "groq-sdk/resources/chat/completions";
import { groq } from "../../src/providers/groq.ts";
import { groqChatRequest } from "../../src/providers/groq_chat_request.ts";
import { clientRequest } from "../support/translate.ts";

test("Groq is called below /openai/v1", () => {
  expect(groq.url(groq.baseUrl ?? "", "chat", "openai/gpt-oss-20b")).toBe(
    "https://api.groq.com/openai/v1/chat/completions",
  );
});

test("a request that uses all that OpenAI has becomes one that Groq's own client would send", () => {
  const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
  const image = {
    type: "image_url",
    image_url: { url: "https://example.com/a", detail: "original" },
  };
  const request = clientRequest(
    JSON.stringify({
      model: "groq/openai/gpt-oss-120b",
      messages: [
        { role: "developer", content: "d", name: "dev" },
        { role: "user", content: [{ type: "text", text: "u" }, image], name: "ann" },
        {
          role: "assistant",
          content: null,
          refusal: null,
          reasoning_content: "r",
          tool_calls: [call],
        },
        { role: "tool", tool_call_id: "call_1", content: "t", name: "f" },
      ],
      max_tokens: 9,
      temperature: 0,
      n: 1,
      logprobs: false,
      metadata: { team: "a" },
      reasoning_effort: "xhigh",
      service_tier: "default",
      tools: [{ type: "function", function: { name: "f" } }],
      tool_choice: { type: "function", function: { name: "f" } },
      stop: ["x"],
      seed: 1,
      user: "ann",
    }),
  );
  // The compiler checks that Groq knows every member, and each in this form.
  const expected: ChatCompletionCreateParams = {
    model: "groq/openai/gpt-oss-120b",
    messages: [
      { role: "developer", content: "d" },
      {
        role: "user",
        content: [
          { type: "text", text: "u" },
          { type: "image_url", image_url: { url: "https://example.com/a", detail: "high" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        reasoning: "r",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "t" },
    ],
    max_completion_tokens: 9,
    temperature: 0,
    reasoning_effort: "high",
    service_tier: "on_demand",
    tools: [{ type: "function", function: { name: "f" } }],
    tool_choice: { type: "function", function: { name: "f" } },
    stop: ["x"],
    seed: 1,
    user: "ann",
  };
  const { body, dropped } = groqChatRequest(request);
  expect(JSON.parse(JSON.stringify(body))).toEqual(expected);
  expect(dropped).toEqual(["metadata"]);
});
