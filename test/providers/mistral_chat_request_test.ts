import { describe, expect, test } from "bun:test";
import { mistralChatRequest } from "../../src/providers/mistral_chat_request.ts";
import type { JsonObject } from "../../src/std/json.ts";
import { clientRequest } from "../support/translate.ts";

const MESSAGES = [{ role: "user", content: "u" }];

function rewrite(fields: JsonObject, model = "mistral-small-latest") {
  const text = JSON.stringify({ model: `mistral/${model}`, messages: MESSAGES, ...fields });
  const { body, dropped } = mistralChatRequest(clientRequest(text));
  const { model: _, messages: __, ...sent } = body;
  return { sent, dropped };
}

describe("mistralChatRequest()", () => {
  const SENT: readonly (readonly [fields: JsonObject, sent: JsonObject, dropped: string[]])[] = [
    [{ seed: 7 }, { random_seed: 7 }, []],
    [{ max_completion_tokens: 5 }, { max_tokens: 5 }, []],
    [{ max_tokens: 5 }, { max_tokens: 5 }, []],
    [{ max_tokens: 5, max_completion_tokens: 6 }, { max_tokens: 6 }, ["max_tokens"]],
    [{ temperature: 1.7 }, { temperature: 1 }, []],
    [{ temperature: 0 }, { temperature: 0 }, []],
    [{ stream: true, stream_options: { include_usage: true } }, { stream: true }, []],
    [{ tools: [], tool_choice: "auto" }, {}, []],
    [{ logprobs: false, top_logprobs: 0, logit_bias: {}, modalities: ["text"] }, {}, []],
    [{ functions: [], function_call: "auto", audio: null, store: false }, {}, []],
    [{ service_tier: "auto" }, { service_tier: "auto" }, []],
    [{ service_tier: "default" }, { service_tier: "standard_only" }, []],
    [{ service_tier: "flex" }, {}, ["service_tier"]],
    [
      { prediction: { type: "content", content: "p" } },
      { prediction: { type: "content", content: "p" } },
      [],
    ],
    [
      { user: "a", safety_identifier: "b", store: true, verbosity: "low", foo: 1 },
      {},
      ["user", "safety_identifier", "store", "verbosity", "foo"],
    ],
    [
      { prompt_cache_key: "k", prompt_cache_retention: "24h" },
      { prompt_cache_key: "k" },
      ["prompt_cache_retention"],
    ],
    [
      { safe_prompt: true, prompt_mode: "reasoning", random_seed: 3 },
      { safe_prompt: true, prompt_mode: "reasoning", random_seed: 3 },
      [],
    ],
  ];
  test.each(SENT)("makes of %j the fields %j and drops %j", (fields, sent, dropped) => {
    expect(rewrite(fields)).toEqual({ sent, dropped });
    expect(Object.keys(rewrite(fields).sent)).toEqual(Object.keys(sent));
  });

  test.each([
    ["mistral-small-latest", "max", "xhigh"],
    ["mistral-small-2603", "none", "none"],
    ["mistral-medium-3-5", "low", "low"],
    ["mistral-large-4-0", "high", "high"],
  ])("sends %s the effort %s as %s", (model, effort, sent) => {
    expect(rewrite({ reasoning_effort: effort }, model).sent).toEqual({ reasoning_effort: sent });
  });

  test.each([
    "magistral-medium-latest",
    "mistral-large-2512",
    "mistral-small-2506",
    "codestral-2508",
  ])("sends %s no effort", (model) => {
    expect(rewrite({ reasoning_effort: "high" }, model)).toEqual({
      sent: {},
      dropped: ["reasoning_effort"],
    });
  });

  const REFUSED: readonly (readonly [fields: JsonObject, param: string, code: string])[] = [
    [{ logprobs: true }, "logprobs", "unsupported_parameter"],
    [{ top_logprobs: 2 }, "top_logprobs", "unsupported_parameter"],
    [{ logit_bias: { "1": 1 } }, "logit_bias", "unsupported_parameter"],
    [{ modalities: ["text", "audio"] }, "modalities", "unsupported_parameter"],
    [{ audio: { voice: "alloy", format: "wav" } }, "audio", "unsupported_parameter"],
    [{ web_search_options: {} }, "web_search_options", "unsupported_parameter"],
    [{ moderation: {} }, "moderation", "unsupported_parameter"],
    [{ functions: [{ name: "f" }] }, "functions", "unsupported_parameter"],
    [{ function_call: { name: "f" } }, "function_call", "unsupported_parameter"],
    [{ seed: -1 }, "seed", "invalid_value"],
    [{ tools: [{ type: "custom", custom: { name: "c" } }] }, "tools[0].type", "invalid_value"],
    [
      { response_format: { type: "json_schema" } },
      "response_format.json_schema.schema",
      "invalid_value",
    ],
  ];
  test.each(REFUSED)("refuses %j", (fields, param, code) => {
    expect(() => rewrite(fields)).toThrow(expect.objectContaining({ param, code }));
  });
});
