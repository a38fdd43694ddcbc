import { expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";
import {
  toolFields,
  type Tooling,
  toolSchema,
  translateTools,
} from "../../src/wire/openai_to_anthropic_tools.ts";

function fn(name: string, more: JsonObject = {}): JsonObject {
  return { type: "function", function: { name, ...more } };
}

function translate(body: JsonObject, model = "claude-opus-4-8"): Tooling {
  return translateTools(body, anthropicModel(model));
}

function choiceOf(tool_choice: Json, more: JsonObject = {}): unknown {
  return translate({ tools: [fn("f"), fn("g")], tool_choice, ...more }).choice;
}

test.each<[Json, Json]>([
  [null, null],
  ["auto", { type: "auto" }],
  ["none", { type: "none" }],
  ["required", { type: "any" }],
  ["any", { type: "any" }],
  [{ type: "auto" }, { type: "auto" }],
  [{ type: "required" }, { type: "any" }],
  [{ type: "none" }, { type: "none" }],
  [fn("f"), { type: "tool", name: "f" }],
  [
    { type: "function", name: "g" },
    { type: "tool", name: "g" },
  ],
])("choice %j is %j", (given, choice) => expect<unknown>(choiceOf(given)).toEqual(choice));

test.each<[Json, Json]>([
  [null, { type: "auto", disable_parallel_tool_use: true }],
  ["required", { type: "any", disable_parallel_tool_use: true }],
  [fn("f"), { type: "tool", name: "f", disable_parallel_tool_use: true }],
  ["none", { type: "none" }],
])("choice %j one at a time is %j", (given, choice) => {
  expect<unknown>(choiceOf(given, { parallel_tool_calls: false })).toEqual(choice);
});

test.each<[string, JsonObject, string]>([
  ["an unknown name", { tools: [fn("f")], tool_choice: fn("g") }, "tool_choice"],
  ["an unknown word", { tools: [fn("f")], tool_choice: "maybe" }, "tool_choice"],
  ["no name", { tools: [fn("f")], tool_choice: { type: "function" } }, "tool_choice"],
  ["a custom tool", { tools: [fn("f")], tool_choice: { type: "custom" } }, "tool_choice"],
  ["a required tool but none given", { tool_choice: "required" }, "tool_choice"],
  ["a named tool but none given", { tool_choice: fn("f") }, "tool_choice"],
  ["a named function but none given", { function_call: { name: "f" } }, "function_call"],
  [
    "an unknown function",
    { functions: [{ name: "f" }], function_call: { name: "g" } },
    "function_call",
  ],
  ["both kinds of tools", { tools: [fn("f")], functions: [{ name: "f" }] }, "functions"],
  ["no list", { tools: {} }, "tools"],
  ["a tool that is none", { tools: ["f"] }, "tools[0]"],
  ["a tool without type", { tools: [{ function: { name: "f" } }] }, "tools[0].type"],
  ["a tool without function", { tools: [{ type: "function" }] }, "tools[0].function"],
  ["no name of a tool", { tools: [fn("f"), fn("")] }, "tools[1].function.name"],
  ["too long a name", { tools: [fn("x".repeat(129))] }, "tools[0].function.name"],
  ["an odd description", { tools: [fn("f", { description: 7 })] }, "tools[0].function.description"],
  [
    "a schema that is none",
    { tools: [fn("f", { parameters: [] })] },
    "tools[0].function.parameters",
  ],
  ["parallel calls that are neither", { parallel_tool_calls: "no" }, "parallel_tool_calls"],
])("%s is refused", (_name, body, param) => {
  expect(() => translate(body)).toThrow(expect.objectContaining({ param, code: "invalid_value" }));
});

test("choices that need no tool are left out where there is none", () => {
  const bodies: JsonObject[] = [
    {},
    { tool_choice: "auto" },
    { tool_choice: "none", parallel_tool_calls: false },
    { tools: [], tool_choice: "required" },
    { functions: [], function_call: { name: "f" } },
    { function_call: "auto" },
  ];
  for (const body of bodies) {
    expect(translate(body)).toMatchObject({ tools: [], choice: null, forcedBy: null });
  }
});

test("allowed tools are the only ones left", () => {
  const allowed = (mode: string, ...names: string[]): Tooling =>
    translate({
      tools: [fn("f"), fn("g"), fn("h")],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode, tools: names.map((name) => fn(name)) },
      },
    });
  expect(allowed("auto", "h", "f")).toMatchObject({
    tools: [{ name: "f" }, { name: "h" }],
    choice: { type: "auto" },
  });
  expect(allowed("required", "g").choice).toEqual({ type: "any" });
  for (const run of [
    () => allowed("auto", "x"),
    () => allowed("auto"),
    () => allowed("some", "f"),
  ]) {
    expect(run).toThrow();
  }
});

test("a forced tool is told with its field, and refused by models that cannot be forced", () => {
  const tools = [fn("f")];
  const functions = [{ name: "f" }];
  expect(translate({ tools }).forcedBy).toBeNull();
  expect(translate({ tools, tool_choice: "required" }).forcedBy).toBe("tool_choice");
  expect(translate({ functions, function_call: { name: "f" } }).forcedBy).toBe("function_call");
  for (const body of [
    { tools, tool_choice: "required" },
    { tools, tool_choice: fn("f") },
  ]) {
    expect(() => translate(body, "claude-opus-5-5")).toThrow(
      expect.objectContaining({ param: "tool_choice" }),
    );
  }
  expect(translate({ tools, tool_choice: "auto" }, "claude-opus-5-5").choice).toEqual({
    type: "auto",
  });
});

test("strict is promised only by models with grammars", () => {
  const body = { tools: [fn("f", { strict: true }), fn("g", { strict: false })] };
  expect(translate(body).tools.map((tool) => tool.strict ?? null)).toEqual([true, null]);
  const older = translate(body, "claude-sonnet-4-20250514");
  expect(older.tools.map((tool) => tool.strict ?? null)).toEqual([null, null]);
  expect(older.dropped).toEqual(["tools"]);
});

test("the older functions are called one at a time", () => {
  const tooling = translate({ functions: [{ name: "f", description: "" }] });
  expect(tooling).toMatchObject({
    legacy: true,
    tools: [{ name: "f", input_schema: { type: "object", properties: {} } }],
    choice: { type: "auto", disable_parallel_tool_use: true },
  });
  expect(tooling.tools[0]).not.toHaveProperty("description");
});

test.each<[JsonObject, Json]>([
  [{}, { type: "object" }],
  [
    { type: null, properties: {} },
    { type: "object", properties: {} },
  ],
  [
    { type: "object", $defs: { a: {} } },
    { type: "object", $defs: { a: {} } },
  ],
  [{ type: "string" }, null],
  [{ oneOf: [] }, null],
  [{ type: "object", anyOf: [{}] }, null],
  [{ allOf: [{ type: "string" }] }, null],
])("schema %j of a tool is %j", (schema, fitted) => {
  expect<unknown>(toolSchema(schema)).toEqual(fitted);
});

test("tools of the conversation are declared where the request has none of its own", () => {
  const none = translate({});
  const own = translate({ tools: [fn("f")] });
  const called = new Set(["old"]);
  const declared = { name: "old", input_schema: { type: "object", properties: {} } };
  const answer = { name: "json_response", input_schema: { type: "object" } } as const;
  expect<unknown>(toolFields(none, undefined, new Set())).toEqual({});
  expect<unknown>(toolFields(own, undefined, called)).toEqual({ tools: own.tools });
  expect<unknown>(toolFields(none, undefined, called)).toEqual({
    tools: [declared],
    tool_choice: { type: "none" },
  });
  expect<unknown>(toolFields(none, answer, called)).toEqual({
    tools: [declared, answer],
    tool_choice: { type: "tool", name: "json_response", disable_parallel_tool_use: true },
  });
});
