import { expect, test } from "bun:test";
import type {
  AssistantMessage$Outbound,
  ChatCompletionRequest$Outbound,
  EmbeddingRequest$Outbound,
  SystemMessage$Outbound,
  ToolCall$Outbound,
  ToolMessage$Outbound,
  UserMessage$Outbound,
} from "@mistralai/mistralai/models/components";
import { mistral } from "../../src/providers/mistral.ts";
import { clientRequest } from "../support/translate.ts";

// Mistral's client always writes out defaults that its API does not demand.
type Assistant = Omit<AssistantMessage$Outbound, "prefix" | "tool_calls"> & {
  prefix?: boolean;
  tool_calls?: Omit<ToolCall$Outbound, "index">[];
};
type ChatBody = Omit<ChatCompletionRequest$Outbound, "messages"> & {
  messages: (Assistant | SystemMessage$Outbound | ToolMessage$Outbound | UserMessage$Outbound)[];
};

const CALL = { type: "function", function: { name: "f", arguments: "{}" } };
const CHAT = {
  model: "mistral/mistral-medium-3-5",
  messages: [
    { role: "developer", content: "d", name: "dev" },
    {
      role: "user",
      name: "ann",
      content: [
        { type: "text", text: "u" },
        { type: "image_url", image_url: { url: "https://example.com/a", detail: "low" } },
        { type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } },
        { type: "file", file: { file_data: "data:application/pdf;base64,AA", filename: "a.pdf" } },
      ],
    },
    { role: "assistant", content: null, refusal: null, tool_calls: [{ id: "call_1", ...CALL }] },
    { role: "tool", tool_call_id: "call_1", content: "t", name: "f" },
    { role: "assistant", content: "And so" },
  ],
  stream: true,
  stream_options: { include_usage: true },
  max_completion_tokens: 9,
  temperature: 1.5,
  top_p: 0.9,
  seed: 1,
  stop: ["x"],
  n: 1,
  presence_penalty: 0.1,
  frequency_penalty: 0.2,
  parallel_tool_calls: false,
  reasoning_effort: "max",
  prediction: {
    type: "content",
    content: [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ],
  },
  response_format: { type: "json_schema", json_schema: { name: "s", schema: {}, strict: true } },
  tools: [{ type: "function", function: { name: "f", description: "d" } }],
  tool_choice: "required",
  service_tier: "default",
  prompt_cache_key: "k",
  metadata: { team: "a" },
  user: "ann",
};

test("a request that uses all that OpenAI has becomes one that Mistral's own client would send", () => {
  // The compiler checks that Mistral knows every member, and each in this form.
  const expected: ChatBody = {
    model: "mistral/mistral-medium-3-5",
    messages: [
      { role: "system", content: "d" },
      {
        role: "user",
        content: [
          { type: "text", text: "u" },
          { type: "image_url", image_url: { url: "https://example.com/a", detail: "low" } },
          { type: "input_audio", input_audio: "AAAA" },
          {
            type: "document_url",
            document_url: "data:application/pdf;base64,AA",
            document_name: "a.pdf",
          },
        ],
      },
      {
        role: "assistant",
        content: "",
        tool_calls: [
          { id: "Bu09e4fdz", type: "function", function: { name: "f", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "Bu09e4fdz", content: "t", name: "f" },
      { role: "assistant", content: "And so", prefix: true },
    ],
    stream: true,
    max_tokens: 9,
    temperature: 1,
    top_p: 0.9,
    random_seed: 1,
    stop: ["x"],
    n: 1,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    parallel_tool_calls: false,
    reasoning_effort: "xhigh",
    prediction: { type: "content", content: "ab" },
    response_format: { type: "json_schema", json_schema: { name: "s", schema: {}, strict: true } },
    tools: [
      {
        type: "function",
        function: { name: "f", description: "d", parameters: { type: "object", properties: {} } },
      },
    ],
    tool_choice: "any",
    service_tier: "standard_only",
    prompt_cache_key: "k",
    metadata: { team: "a" },
  };
  const rewritten = mistral.quirks?.chatRequest?.(clientRequest(JSON.stringify(CHAT)));
  expect(JSON.parse(JSON.stringify(rewritten?.body))).toEqual(expected);
  expect(rewritten?.dropped).toEqual(["user"]);
});

test("an embeddings request becomes one that Mistral's own client would send", () => {
  const expected: EmbeddingRequest$Outbound = {
    model: "mistral/codestral-embed",
    input: ["a", "b"],
    output_dimension: 256,
    encoding_format: "float",
  };
  const given = {
    model: "mistral/codestral-embed",
    input: ["a", "b"],
    dimensions: 256,
    encoding_format: "base64",
    user: "ann",
  };
  const rewritten = mistral.quirks?.embeddingsRequest?.(clientRequest(JSON.stringify(given)));
  expect(JSON.parse(JSON.stringify(rewritten?.body))).toEqual(expected);
  expect(rewritten?.dropped).toEqual(["user"]);
});

test("Mistral is not asked for usage in streams: it refuses the question and sends it anyway", () => {
  expect(mistral.quirks?.asksForStreamUsage).toBe(false);
});
