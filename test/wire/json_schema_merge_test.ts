import { expect, test } from "bun:test";
import type { JsonObject } from "../../src/std/json.ts";
import { findReferred, mergeAllOf } from "../../src/wire/json_schema_merge.ts";

const A: JsonObject = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
const B: JsonObject = { properties: { b: { type: "number" } }, additionalProperties: false };

test("objects that must all hold become one", () => {
  const schema: JsonObject = { title: "T", properties: { c: {} }, allOf: [A, { allOf: [B] }] };
  expect(mergeAllOf(schema, schema)).toEqual({
    title: "T",
    type: "object",
    properties: { a: { type: "string" }, b: { type: "number" }, c: {} },
    required: ["a"],
    additionalProperties: false,
  });
});

test("local references are followed", () => {
  const schema: JsonObject = { allOf: [{ $ref: "#/$defs/a~1b" }], $defs: { "a/b": A } };
  expect(mergeAllOf(schema, schema)).toMatchObject({ properties: { a: { type: "string" } } });
});

const UNMERGEABLE: Record<string, JsonObject> = {
  "a property of two kinds": { allOf: [A, { properties: { a: { type: "number" } } }] },
  "a member that is no object": { allOf: [{ type: "string" }] },
  "a member with alternatives": { allOf: [{ anyOf: [A, B] }] },
  "a map": { allOf: [{ additionalProperties: { type: "string" } }] },
  "a reference elsewhere": { allOf: [{ $ref: "https://example.com/a.json" }] },
  "a reference to nothing": { allOf: [{ $ref: "#/$defs/none" }] },
  "a reference with more beside it": {
    allOf: [{ $ref: "#/$defs/a", title: "x" }],
    $defs: { a: A },
  },
  "a reference to itself": { allOf: [{ $ref: "#" }] },
  "a list that is none": { allOf: {} },
};

for (const [name, schema] of Object.entries(UNMERGEABLE)) {
  test(`${name} cannot be merged`, () => expect(mergeAllOf(schema, schema)).toBeNull());
}

test("definitions that double at each step end soon", () => {
  const $defs: JsonObject = {};
  for (let at = 0; at < 60; at += 1) {
    const next = { $ref: `#/$defs/d${at + 1}` };
    $defs[`d${at}`] = { allOf: [next, next] };
  }
  const schema: JsonObject = { allOf: [{ $ref: "#/$defs/d0" }], $defs };
  expect(mergeAllOf(schema, schema)).toBeNull();
});

test("a reference is found by its escaped path, and never outside of own members", () => {
  const root: JsonObject = { a: { "b/c~": [1, { d: true }] } };
  expect(findReferred("#", root)).toBe(root);
  expect(findReferred("#/a/b~1c~0/1/d", root)).toBe(true);
  for (const reference of ["a", "#/b", "#/a/constructor", "#/__proto__", "#/a/b~1c~0/9", ""]) {
    expect(findReferred(reference, root)).toBeNull();
  }
});
