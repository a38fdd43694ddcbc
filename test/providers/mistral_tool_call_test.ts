import { expect, test } from "bun:test";
import { readToolCall } from "../../src/providers/mistral_tool_call.ts";
import type { JsonObject } from "../../src/std/json.ts";

const CALLS: readonly (readonly [
  call: JsonObject,
  id: string | null,
  name: string | null,
  args: string,
])[] = [
  [{ id: "aB3dE6gH9", function: { name: "f", arguments: '{"a":1}' } }, "aB3dE6gH9", "f", '{"a":1}'],
  [{ id: "aB3dE6gH9", function: { name: "f", arguments: { a: 1 } } }, "aB3dE6gH9", "f", '{"a":1}'],
  [{ id: "null", function: { name: "f", arguments: {} } }, null, "f", "{}"],
  [{ id: "", function: { name: "", arguments: "x" } }, null, null, "x"],
  [{ function: { name: "f", arguments: null } }, null, "f", ""],
  [{ id: 7 }, null, null, ""],
];

test.each(CALLS)("readToolCall() reads %j", (call, id, name, args) => {
  expect(readToolCall(call)).toEqual({ id, name, args });
});
