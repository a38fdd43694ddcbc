import { expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";
import { translateFormat } from "../../src/wire/openai_to_anthropic_format.ts";

const SCHEMA: JsonObject = {
  type: "object",
  properties: { a: { type: "string" } },
  required: ["a"],
};
const OPEN: JsonObject = { type: "object", additionalProperties: { type: "string" } };

function format(
  response_format: Json,
  { model = "claude-opus-4-8", hasTools = false, toolNames = [] as string[] } = {},
): unknown {
  const context = { model: anthropicModel(model), hasTools, toolNames: new Set(toolNames) };
  return translateFormat({ response_format }, context);
}

function json(schema: Json, more: JsonObject = {}): Json {
  return { type: "json_schema", json_schema: { name: "x", schema, ...more } };
}

test("a format of plain text asks for nothing", () => {
  expect(format(null)).toEqual({});
  expect(format({ type: "text" })).toEqual({});
});

test("any JSON object is asked for in words, also by a schema that is not given", () => {
  const instruction = { type: "text", text: expect.stringContaining("JSON object") };
  expect(format({ type: "json_object" })).toEqual({ instruction });
  expect(format(json(null))).toEqual({ instruction });
});

test("a schema that the model can keep is given to it, with the description of the format", () => {
  const schema = { ...SCHEMA, additionalProperties: false };
  expect(format(json(SCHEMA))).toEqual({ schema });
  expect(format(json(SCHEMA), { hasTools: true })).toEqual({ schema });
  expect(format(json(SCHEMA, { description: "D.", strict: false }))).toEqual({
    schema: { ...schema, description: "D." },
  });
  expect(format(json({ ...SCHEMA, description: "Own." }, { description: "D." }))).toEqual({
    schema: { ...schema, description: "Own." },
  });
});

test("a schema that it cannot keep becomes a tool, whole", () => {
  const tool = { name: "json_response", description: expect.any(String), input_schema: OPEN };
  expect(format(json(OPEN))).toEqual({ tool });
  expect(format(json(SCHEMA), { model: "claude-3-haiku" })).toEqual({
    tool: { ...tool, input_schema: SCHEMA },
  });
});

test("the tool takes no name of the conversation", () => {
  const toolNames = ["json_response", "json_response_"];
  expect(format(json(OPEN), { toolNames })).toMatchObject({ tool: { name: "json_response__" } });
});

test.each<[string, Json, string, Parameters<typeof format>[1]]>([
  ["an unknown type", { type: "xml" }, "response_format.type", {}],
  ["no object", "json_object", "response_format", {}],
  ["no schema object", { type: "json_schema" }, "response_format.json_schema", {}],
  ["a schema that is none", json([]), "response_format.json_schema.schema", {}],
  [
    "a root of alternatives",
    json({ anyOf: [OPEN, OPEN] }),
    "response_format.json_schema.schema",
    {},
  ],
  ["tools beside it", json(OPEN), "response_format.json_schema.schema", { hasTools: true }],
  [
    "no forced tools",
    json(OPEN),
    "response_format.json_schema.schema",
    { model: "claude-opus-5-5" },
  ],
])("a format with %s is refused", (_name, value, param, context) => {
  expect(() => format(value, context)).toThrow(expect.objectContaining({ param }));
});
