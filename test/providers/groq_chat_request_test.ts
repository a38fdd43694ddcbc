import { describe, expect, test } from "bun:test";
import { groqChatRequest } from "../../src/providers/groq_chat_request.ts";
import type { JsonObject } from "../../src/std/json.ts";
import { clientRequest } from "../support/translate.ts";

const MESSAGES = [{ role: "user", content: "u" }];
const TOOLS = [{ type: "function", function: { name: "f" } }];

function rewrite(fields: JsonObject, model = "groq/llama-3.3-70b-versatile") {
  const request = clientRequest(JSON.stringify({ model, messages: MESSAGES, ...fields }));
  const { body, dropped } = groqChatRequest(request);
  const { model: _, messages: __, ...sent } = body;
  return { same: body === request.body, sent, dropped };
}

describe("groqChatRequest()", () => {
  test("returns the same body if Groq takes it as it is, unknown fields included", () => {
    expect(rewrite({ tools: TOOLS, temperature: 0, foo: { bar: [1] } }).same).toBe(true);
  });

  const SENT: readonly (readonly [fields: JsonObject, sent: JsonObject, dropped: string[]])[] = [
    [{ n: 1, logprobs: false, top_logprobs: 0, logit_bias: {} }, {}, []],
    [{ n: null, top_logprobs: null, foo: null }, {}, []],
    [{ frequency_penalty: 0, presence_penalty: 0, store: false, metadata: {} }, {}, []],
    [
      { frequency_penalty: 1, presence_penalty: -1, store: true, metadata: { a: "b" } },
      {},
      ["frequency_penalty", "presence_penalty", "store", "metadata"],
    ],
    [{ max_tokens: 5 }, { max_completion_tokens: 5 }, []],
    [{ max_tokens: 5, max_completion_tokens: 6 }, { max_completion_tokens: 6 }, ["max_tokens"]],
    [{ service_tier: "default" }, { service_tier: "on_demand" }, []],
    [{ service_tier: "flex" }, { service_tier: "flex" }, []],
    [{ service_tier: "priority" }, {}, ["service_tier"]],
    [{ service_tier: "constructor" }, {}, ["service_tier"]],
    [{ reasoning_effort: "high" }, {}, ["reasoning_effort"]],
    [{ tools: [], tool_choice: "auto" }, {}, []],
    [
      { tools: TOOLS, response_format: { type: "text" } },
      { tools: TOOLS, response_format: { type: "text" } },
      [],
    ],
    [
      { response_format: { type: "json_object" } },
      { response_format: { type: "json_object" } },
      [],
    ],
  ];
  test.each(SENT)("makes of %j the fields %j and drops %j", (fields, sent, dropped) => {
    expect(rewrite(fields)).toMatchObject({ sent, dropped });
    expect(Object.keys(rewrite(fields).sent)).toEqual(Object.keys(sent));
  });

  test("sends the effort to a model that reasons, in its own words", () => {
    const { sent } = rewrite({ reasoning_effort: "minimal" }, "groq/qwen/qwen3-32b");
    expect(sent).toEqual({ reasoning_effort: "default" });
  });

  const REFUSED: readonly (readonly [fields: JsonObject, param: string, code: string])[] = [
    [{ n: 2 }, "n", "unsupported_parameter"],
    [{ logprobs: true }, "logprobs", "unsupported_parameter"],
    [{ top_logprobs: 3 }, "top_logprobs", "unsupported_parameter"],
    [{ logit_bias: { "1": -1 } }, "logit_bias", "unsupported_parameter"],
    [
      { tools: TOOLS, response_format: { type: "json_schema" } },
      "response_format",
      "invalid_value",
    ],
    [
      { tools: TOOLS, response_format: { type: "json_object" } },
      "response_format",
      "invalid_value",
    ],
    [{ tools: [{ type: "custom", custom: { name: "c" } }] }, "tools[0].type", "invalid_value"],
  ];
  test.each(REFUSED)("refuses %j", (fields, param, code) => {
    expect(() => rewrite(fields)).toThrow(expect.objectContaining({ param, code }));
  });
});
