import { expect, test } from "bun:test";
import { MistralToolStream } from "../../src/providers/mistral_tool_stream.ts";
import type { JsonObject } from "../../src/std/json.ts";

function run(...pieces: JsonObject[]): JsonObject[] {
  const stream = new MistralToolStream("answer-1/0");
  return pieces.map((piece) => stream.push(piece));
}

test("calls that all say index 0 are counted", () => {
  const pieces = ["aaaaaaaaa", "bbbbbbbbb"].map((id) => ({
    id,
    index: 0,
    function: { name: "f", arguments: "{}" },
  }));
  expect(run(...pieces)).toEqual([
    { index: 0, id: "aaaaaaaaa", type: "function", function: { name: "f", arguments: "{}" } },
    { index: 1, id: "bbbbbbbbb", type: "function", function: { name: "f", arguments: "{}" } },
  ]);
});

test("a call in pieces has its name and id in the first only", () => {
  const [first, second, third] = run(
    { id: "aaaaaaaaa", function: { name: "f", arguments: '{"a"' } },
    { id: "aaaaaaaaa", function: { name: "f", arguments: ":1" } },
    { function: { arguments: "}" } },
  );
  expect(first).toMatchObject({ index: 0, id: "aaaaaaaaa" });
  expect(second).toEqual({ index: 0, function: { arguments: ":1" } });
  expect(third).toEqual({ index: 0, function: { arguments: "}" } });
});

test("pieces of two calls may alternate", () => {
  const indexes = run(
    { id: "aaaaaaaaa", function: { name: "f", arguments: "1" } },
    { id: "bbbbbbbbb", function: { name: "g", arguments: "2" } },
    { id: "aaaaaaaaa", function: { arguments: "3" } },
  ).map((piece) => piece["index"]);
  expect(indexes).toEqual([0, 1, 0]);
});

test("calls without ids are given different ones, the same on every run", () => {
  const call = { id: "null", function: { name: "f", arguments: "{}" } };
  const ids = run(call, call).map((piece) => JSON.stringify(piece["id"]));
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^"[a-zA-Z0-9]{9}"$/);
  expect(run(call, call).map((piece) => JSON.stringify(piece["id"]))).toEqual(ids);
});

test("a first piece with neither id nor name still begins a call", () => {
  expect(run({ function: { arguments: "{}" } })).toMatchObject([
    { index: 0, function: { name: "", arguments: "{}" } },
  ]);
});
