import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { MAX_OPTIONAL_PROPERTIES, toSchemaSubset } from "../../src/wire/json_schema_subset.ts";

const text: JsonObject = { type: "string" };

function object(properties: JsonObject, required: string[] = Object.keys(properties)): JsonObject {
  return { type: "object", properties, required, additionalProperties: false };
}

const REWRITTEN: Record<string, readonly [schema: JsonObject, subset: JsonObject]> = {
  "an object is closed": [
    { type: "object", properties: { a: text }, required: ["a"], additionalProperties: true },
    object({ a: text }),
  ],
  "an object is known by its properties": [
    { properties: { a: text }, required: ["a"] },
    object({ a: text }),
  ],
  "an empty object stays one": [
    { type: "object", additionalProperties: false },
    { type: "object", properties: {}, additionalProperties: false },
  ],
  "oneOf joins anyOf": [
    { anyOf: [text], oneOf: [{ type: "null" }] },
    { anyOf: [text, { type: "null" }] },
  ],
  "constraints are told in a fixed order": [
    { maximum: 9, minimum: 1, description: "N.", type: "integer", exclusiveMaximum: 10 },
    {
      type: "integer",
      description: "N.\nMust satisfy: minimum 1, maximum 9, exclusiveMaximum 10.",
    },
  ],
  "lists too": [
    { type: "array", items: text, uniqueItems: true, minItems: 1, maxItems: 3 },
    {
      type: "array",
      items: text,
      description: "Must satisfy: minItems 1, maxItems 3, uniqueItems true.",
    },
  ],
  "uniqueItems: false says nothing": [
    { type: "array", items: text, uniqueItems: false },
    { type: "array", items: text },
  ],
  "a known format is kept, another is told": [
    object({ a: { type: "string", format: "uuid" }, b: { type: "string", format: "iban" } }),
    object({
      a: { type: "string", format: "uuid" },
      b: { type: "string", description: 'Must satisfy: format "iban".' },
    }),
  ],
  "conditions are told": [
    { type: "string", not: { const: "x" }, if: { minLength: 3 } },
    { type: "string", description: 'Must satisfy: not {"const":"x"}, if {"minLength":3}.' },
  ],
  "enum, const, title and default are kept": [
    { title: "T", default: "a", enum: ["a", 1, null], const: "a" },
    { title: "T", default: "a", enum: ["a", 1, null], const: "a" },
  ],
  "annotations that bind nothing are left out": [
    { $schema: "https://json-schema.org/draft/2020-12/schema", $comment: "x", type: "string" },
    text,
  ],
  "definitions are rewritten too": [
    { ...object({ a: { $ref: "#/$defs/a" } }), $defs: { a: { type: "integer", minimum: 0 } } },
    {
      ...object({ a: { $ref: "#/$defs/a" } }),
      $defs: { a: { type: "integer", description: "Must satisfy: minimum 0." } },
    },
  ],
  "a lone allOf stands for its member": [
    { ...object({ a: { description: "A.", allOf: [text] } }) },
    object({ a: { type: "string", description: "A." } }),
  ],
  "objects in allOf become one": [
    { allOf: [object({ a: text }), object({ b: text })] },
    object({ a: text, b: text }),
  ],
  "a nullable object is an object too": [
    { type: ["object", "null"], properties: { a: text }, required: ["a"] },
    { ...object({ a: text }), type: ["object", "null"] },
  ],
};

for (const [name, [schema, subset]] of Object.entries(REWRITTEN)) {
  test(name, () => expect(toSchemaSubset(schema)).toEqual(subset));
}

const OTHERS: Record<string, JsonObject> = {
  "a schema that refers to itself": object({ next: { $ref: "#" } }),
  "definitions that refer to each other": {
    ...object({ a: { $ref: "#/$defs/a" } }),
    $defs: { a: object({ b: { $ref: "#/$defs/b" } }), b: object({ a: { $ref: "#/$defs/a" } }) },
  },
  "a reference to nothing": object({ a: { $ref: "#/$defs/a" } }),
  "a reference elsewhere": object({ a: { $ref: "https://example.com/a.json" } }),
  "an object of any shape": { type: "object" },
  "an open object": object({ a: { type: "object", additionalProperties: true } }),
  "a map": { type: "object", additionalProperties: text },
  "a map beside properties": { ...object({ a: text }), additionalProperties: text },
  "patterns of names": { ...object({ a: text }), patternProperties: { "^x": text } },
  "a tuple": { type: "array", prefixItems: [text] },
  "a value of any shape": object({ a: {} }),
  "a schema that is true": object({ a: true }),
  "a list of objects to choose from": { enum: [{ a: 1 }] },
  "alternatives that are none": { anyOf: { a: text } },
  "allOf of a text and a number": { allOf: [text, { type: "number" }] },
};

for (const [name, schema] of Object.entries(OTHERS)) {
  test(`${name} has no counterpart`, () => expect(toSchemaSubset(schema)).toBeNull());
}

test("optional properties are counted over the whole schema", () => {
  const optional = (count: number): JsonObject => {
    const names = Array.from({ length: count }, (_, at) => [`p${at}`, text] as const);
    return object(Object.fromEntries(names), []);
  };
  const half = MAX_OPTIONAL_PROPERTIES / 2;
  const nested = (extra: number): JsonObject =>
    object({ a: optional(half), b: optional(half + extra) });
  expect(toSchemaSubset(nested(0))).not.toBeNull();
  expect(toSchemaSubset(nested(1))).toBeNull();
});

test("a chain of references without end in sight is given up", () => {
  const $defs: JsonObject = {};
  for (let at = 0; at < 5000; at += 1) $defs[`d${at}`] = { $ref: `#/$defs/d${at + 1}` };
  $defs["d5000"] = text;
  expect(toSchemaSubset({ ...object({ a: { $ref: "#/$defs/d0" } }), $defs })).toBeNull();
});

test("a schema is never changed, and what is rewritten stays as it is", () => {
  const { schema } = fc.letrec<{ schema: JsonObject; leaf: JsonObject }>((tie) => ({
    leaf: fc.constantFrom<JsonObject>(
      text,
      { type: "integer", minimum: 3 },
      { type: "string", format: "iban", maxLength: 4 },
      { const: null },
      { $ref: "#" },
      {},
    ),
    schema: fc.oneof(
      { depthSize: "small", maxDepth: 4 },
      tie("leaf"),
      tie("schema").map((items): JsonObject => ({ type: "array", items })),
      fc
        .array(tie("schema"), { minLength: 1, maxLength: 3 })
        .map((oneOf): JsonObject => ({ oneOf })),
      fc
        .array(tie("schema"), { minLength: 1, maxLength: 2 })
        .map((allOf): JsonObject => ({ allOf })),
      fc
        .dictionary(fc.constantFrom("a", "b", "c"), tie("schema"), { minKeys: 1 })
        .map((properties): JsonObject => object(properties)),
    ),
  }));
  fc.assert(
    fc.property(schema, (given) => {
      const before = JSON.stringify(given);
      const subset = toSchemaSubset(given);
      expect(JSON.stringify(given)).toBe(before);
      if (subset === null) return;
      expect(toSchemaSubset(subset)).toEqual(subset);
      for (const keyword of keywords(subset)) {
        expect(["oneOf", "allOf", "minimum", "maxLength"]).not.toContain(keyword);
      }
    }),
    { numRuns: 500 },
  );
});

function keywords(schema: Json): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return [
    ...(Array.isArray(schema) ? [] : Object.keys(schema)),
    ...Object.values(schema).flatMap((value) => keywords(value ?? null)),
  ];
}
