import { expect, test } from "bun:test";
import type { JsonObject } from "../../src/std/json.ts";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";
import { translateSampling } from "../../src/wire/openai_to_anthropic_sampling.ts";

const SAMPLING = { model: anthropicModel("claude-haiku-4-5"), thinks: false };
const THINKING = { ...SAMPLING, thinks: true };
const NONE = { model: anthropicModel("claude-opus-5-5"), thinks: false };

test.each([
  [SAMPLING, {}, {}, []],
  [SAMPLING, { temperature: 0 }, { temperature: 0 }, []],
  [SAMPLING, { temperature: 1 }, { temperature: 1 }, []],
  [SAMPLING, { temperature: 1.7 }, { temperature: 1 }, []],
  [SAMPLING, { temperature: 2 }, { temperature: 1 }, []],
  [SAMPLING, { top_p: 0 }, { top_p: 0 }, []],
  [SAMPLING, { top_p: 1 }, {}, []],
  [SAMPLING, { temperature: 0.5, top_p: 0.5 }, { temperature: 0.5 }, ["top_p"]],
  [SAMPLING, { temperature: null, top_p: 0.5 }, { top_p: 0.5 }, []],
  [THINKING, { temperature: 0.5, top_p: 0.5 }, {}, ["temperature", "top_p"]],
  [THINKING, { temperature: 1, top_p: 1 }, {}, []],
  [NONE, { temperature: 0, top_p: 0 }, {}, ["temperature", "top_p"]],
  [NONE, { temperature: 1, top_p: 1 }, {}, []],
  [NONE, { stop: "END" }, { stop_sequences: ["END"] }, []],
  [NONE, { stop: ["a", " b "] }, { stop_sequences: ["a", " b "] }, []],
  [NONE, { stop: [" ", "a", ""] }, { stop_sequences: ["a"] }, ["stop"]],
  [NONE, { stop: "\n" }, {}, ["stop"]],
  [NONE, { stop: [] }, {}, []],
] as const)("%#: %j", (context, body, fields, dropped) => {
  const given: JsonObject = JSON.parse(JSON.stringify(body));
  expect<unknown>(translateSampling(given, context)).toEqual({ fields, dropped });
});

test.each([
  [{ temperature: -0.1 }, "temperature"],
  [{ temperature: 2.1 }, "temperature"],
  [{ temperature: "1" }, "temperature"],
  [{ top_p: 1.1 }, "top_p"],
  [{ top_p: -1 }, "top_p"],
  [{ stop: 7 }, "stop"],
  [{ stop: ["a", 7] }, "stop"],
  [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
])("%j is refused, whatever the model", (body, param) => {
  for (const context of [SAMPLING, THINKING, NONE]) {
    expect(() => translateSampling(body, context)).toThrow(expect.objectContaining({ param }));
  }
});
