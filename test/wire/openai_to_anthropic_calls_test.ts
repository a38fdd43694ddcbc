import { expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { ToolCalls } from "../../src/wire/openai_to_anthropic_calls.ts";

function call(id: Json, name = "f", args: Json = "{}"): JsonObject {
  return { id, type: "function", function: { name, arguments: args } };
}

function asks(...tool_calls: Json[]): JsonObject {
  return { role: "assistant", tool_calls };
}

function answers(tool_call_id: Json, content: Json = "x"): JsonObject {
  return { role: "tool", tool_call_id, content };
}

test.each<[Json, JsonObject]>([
  ['{"a":1}', { a: 1 }],
  [' {"a": 1}\n', { a: 1 }],
  [{ a: 1 }, { a: 1 }],
  ["", {}],
  [null, {}],
  ["null", { _raw_arguments: "null" }],
  ["[1]", { _raw_arguments: "[1]" }],
  ["7", { _raw_arguments: "7" }],
  ['"x"', { _raw_arguments: '"x"' }],
  ['{"a":', { _raw_arguments: '{"a":' }],
])("arguments %j are input %j", (args, input) => {
  const blocks = new ToolCalls().callsOf(asks(call("c", "f", args)), "m");
  expect(blocks).toEqual([{ type: "tool_use", id: "c", name: "f", input }]);
});

test("results come in the order of the calls", () => {
  const calls = new ToolCalls();
  calls.callsOf(asks(call("a"), call("b"), call("c")), "m");
  for (const id of ["c", "a", "b"]) calls.take(answers(id, `${id}!`), "m");
  expect(calls.results().map((result) => [result.tool_use_id, result.content])).toEqual([
    ["a", "a!"],
    ["b", "b!"],
    ["c", "c!"],
  ]);
  expect(calls.results()).toEqual([]);
  expect([...calls.names]).toEqual(["f"]);
});

test("an id that does not fit is replaced by the same one each time, and differs from others", () => {
  const idOf = (id: string): string => new ToolCalls().callsOf(asks(call(id)), "m")[0]?.id ?? "";
  expect(idOf("call:1/\u00fc")).toBe("call_461ae26be6dd43a4a7566a0d");
  expect(idOf("a b")).toBe(idOf("a b"));
  expect(idOf("a b")).not.toBe(idOf("a/b"));
  expect(idOf("call_A-9")).toBe("call_A-9");
});

test("an id used again in a later turn is made another, the same each time", () => {
  const turn = (calls: ToolCalls): string => {
    const id = calls.callsOf(asks(call("0")), "m")[0]?.id ?? "";
    calls.take(answers("0"), "m");
    expect(calls.results()[0]?.tool_use_id).toBe(id);
    return id;
  };
  const three = (): string[] => {
    const calls = new ToolCalls();
    return [turn(calls), turn(calls), turn(calls)];
  };
  expect(new Set(three()).size).toBe(3);
  expect(three()).toEqual(three());
});

test("the older calls share ids with their results", () => {
  const calls = new ToolCalls();
  const older = { role: "assistant", function_call: { name: "f", arguments: "{}" } };
  const answer = { role: "function", name: "f", content: "2" };
  for (const id of ["call_fn_1", "call_fn_2"]) {
    expect(calls.callsOf(older, "m")[0]?.id).toBe(id);
    calls.take(answer, "m");
    expect(calls.results()).toEqual([{ type: "tool_result", tool_use_id: id, content: "2" }]);
  }
});

test("a message with calls of both kinds counts the newer ones", () => {
  const both = { ...asks(call("a")), function_call: { name: "f", arguments: "{}" } };
  expect(new ToolCalls().callsOf(both, "m").map((block) => block.id)).toEqual(["a"]);
});

test.each<[string, JsonObject, string]>([
  ["no id", asks({ type: "function", function: { name: "f" } }), "m.tool_calls[0].id"],
  ["an empty id", asks(call("")), "m.tool_calls[0].id"],
  ["an id twice", asks(call("a"), call("a")), "m.tool_calls[1].id"],
  ["a custom call", asks({ id: "a", type: "custom", custom: {} }), "m.tool_calls[0].type"],
  ["no function", asks({ id: "a" }), "m.tool_calls[0].function"],
  ["an odd name", asks(call("a", "f g")), "m.tool_calls[0].function.name"],
  ["odd arguments", asks(call("a", "f", 7)), "m.tool_calls[0].function.arguments"],
  ["no list", { role: "assistant", tool_calls: {} }, "m.tool_calls"],
])("calls with %s are refused", (_name, message, param) => {
  expect(() => new ToolCalls().callsOf(message, "m")).toThrow(expect.objectContaining({ param }));
});

test("results that answer nothing, or twice, are refused", () => {
  const calls = new ToolCalls();
  const refused = expect.objectContaining({ param: "r.tool_call_id" });
  expect(() => calls.take(answers("a"), "r")).toThrow(refused);
  calls.callsOf(asks(call("a")), "m");
  expect(() => calls.take(answers("b"), "r")).toThrow(refused);
  calls.take(answers("a"), "r");
  expect(() => calls.take(answers("a"), "r")).toThrow(refused);
  expect(() => calls.take({ role: "function", name: "f" }, "r")).toThrow(
    expect.objectContaining({ param: "r.role" }),
  );
});

test("a call without a result is refused where it stands", () => {
  const calls = new ToolCalls();
  calls.callsOf(asks(call("a"), call("b")), "m");
  calls.take(answers("b"), "r");
  expect(() => calls.results()).toThrow(expect.objectContaining({ param: "m.tool_calls" }));
});

test("a breakpoint on a result or in its parts marks the result as a whole", () => {
  const cached = { cache_control: { type: "ephemeral" } } as const;
  const part = { type: "text", text: "x", ...cached };
  for (const message of [{ ...answers("a"), ...cached }, answers("a", [part])]) {
    const calls = new ToolCalls();
    calls.callsOf(asks(call("a")), "m");
    calls.take(message, "r");
    const [result] = calls.results();
    expect(result?.cache_control).toEqual({ type: "ephemeral" });
    expect(JSON.stringify(result?.content)).not.toContain("cache_control");
  }
});
