import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { findReferred, mergeAllOf } from "./json_schema_merge.ts";

/** Compiling a grammar fails upstream with a few more optional properties than these. */
export const MAX_OPTIONAL_PROPERTIES = 10;

/** Bounds the schemas within one schema: no grammar is compiled from more. */
const MAX_SCHEMAS = 10_000;

/** Bounds how deep references may lead one into another: each step takes room on the stack. */
const MAX_REFERRED_DEPTH = 1_000;

const FORMATS = new Set(
  "date-time time date duration email hostname uri ipv4 ipv6 uuid".split(" "),
);

/** Constraints that a grammar cannot keep, in the order in which they are told in the description. */
const TOLD = [
  "format",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "uniqueItems",
  "contains",
  "minContains",
  "maxContains",
  "minProperties",
  "maxProperties",
  "propertyNames",
  "dependentRequired",
  "nullable",
  "not",
  "if",
  "then",
  "else",
  "examples",
] as const;

/** Raised within this file when a schema has no counterpart; never leaves it. */
class NotRepresentable extends Error {}

/**
 * Rewrites a JSON schema into the subset that Anthropic compiles into a grammar: objects closed, `oneOf`
 * as `anyOf`, constraints beyond the subset told in the description.
 *
 * @returns Null if it cannot be written so: it refers to itself or elsewhere, has an object or value of any
 *   shape, too many optional properties, or a keyword whose loss would change what fits.
 */
export function toSchemaSubset(schema: JsonObject): JsonObject | null {
  try {
    refuseRecursion(schema, { root: schema, visits: new Map() }, 0);
    return new Subset(schema).rewrite(schema);
  } catch (error) {
    if (error instanceof NotRepresentable) return null;
    throw error;
  }
}

interface Walk {
  readonly root: JsonObject;
  readonly visits: Map<object, "open" | "done">;
}

/** Walks schemas and what they refer to; a schema met again while it is still open refers to itself. */
function refuseRecursion(value: Json, walk: Walk, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  const visit = walk.visits.get(value);
  if (visit === "done") return;
  if (visit === "open" || depth > MAX_REFERRED_DEPTH) throw new NotRepresentable();
  walk.visits.set(value, "open");
  for (const member of Object.values(value)) refuseRecursion(member ?? null, walk, depth + 1);
  const reference = isJsonObject(value) ? value["$ref"] : undefined;
  if (typeof reference === "string") {
    const target = findReferred(reference, walk.root);
    if (target === null) throw new NotRepresentable();
    refuseRecursion(target, walk, depth + 1);
  }
  walk.visits.set(value, "done");
}

class Subset {
  readonly #root: JsonObject;
  #schemas = 0;
  #optional = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  rewrite(schema: Json): JsonObject {
    this.#schemas += 1;
    if (!isJsonObject(schema) || this.#schemas > MAX_SCHEMAS) throw new NotRepresentable();
    const subset: JsonObject = {};
    for (const name of ["$defs", "definitions"]) {
      if (isJsonObject(schema[name])) subset[name] = this.#each(schema[name]);
    }
    if (schema["$ref"] !== undefined) return { ...subset, $ref: schema["$ref"] };
    if (Array.isArray(schema["allOf"]))
      return { ...subset, ...this.#merged(schema, schema["allOf"]) };
    refuseLossyKeywords(schema);
    for (const name of ["type", "title", "default", "enum", "const"]) {
      if (schema[name] !== undefined) subset[name] = schema[name];
    }
    const description = describe(schema);
    if (description !== null) subset["description"] = description;
    if (isFormat(schema["format"])) subset["format"] = schema["format"];
    this.#alternatives(schema, subset);
    if (is(schema, "array", "items")) this.#items(schema, subset);
    if (is(schema, "object", "properties")) this.#properties(schema, subset);
    const shaped = ["type", "enum", "const", "anyOf"].some((name) => subset[name] !== undefined);
    if (!shaped) throw new NotRepresentable();
    return subset;
  }

  /** A lone member stands for the whole; several become one object. */
  #merged(schema: JsonObject, members: Json[]): JsonObject {
    const { allOf: _allOf, $defs: _defs, definitions: _definitions, ...own } = schema;
    const only = members.length === 1 ? members[0] : undefined;
    const annotated = Object.keys(own).every((name) => name === "description" || name === "title");
    if (isJsonObject(only) && annotated) return this.rewrite({ ...only, ...own });
    const merged = mergeAllOf({ ...own, allOf: members }, this.#root);
    if (merged === null) throw new NotRepresentable();
    return this.rewrite(merged);
  }

  #alternatives(schema: JsonObject, subset: JsonObject): void {
    const lists = [schema["anyOf"] ?? [], schema["oneOf"] ?? []];
    if (!lists.every(Array.isArray)) throw new NotRepresentable();
    const alternatives = lists.flat();
    if (alternatives.length > 0) subset["anyOf"] = alternatives.map((each) => this.rewrite(each));
  }

  #items(schema: JsonObject, subset: JsonObject): void {
    subset["type"] ??= "array";
    if (schema["items"] !== undefined) subset["items"] = this.rewrite(schema["items"]);
  }

  #properties(schema: JsonObject, subset: JsonObject): void {
    subset["type"] ??= "object";
    const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
    const names = Object.keys(properties);
    const additional = schema["additionalProperties"];
    // Closing a map of unknown names would leave nothing of it.
    const open = names.length === 0 && additional !== false;
    if (open || isJsonObject(additional)) throw new NotRepresentable();
    const required = Array.isArray(schema["required"]) ? schema["required"] : [];
    const wanted = new Set(required);
    this.#optional += names.filter((name) => !wanted.has(name)).length;
    if (this.#optional > MAX_OPTIONAL_PROPERTIES) throw new NotRepresentable();
    subset["properties"] = this.#each(properties);
    if (required.length > 0) subset["required"] = required;
    subset["additionalProperties"] = false;
  }

  #each(schemas: JsonObject): JsonObject {
    const rewritten = Object.entries(schemas).map(([name, schema]) => {
      return [name, this.rewrite(schema ?? null)] as const;
    });
    return Object.fromEntries(rewritten);
  }
}

function refuseLossyKeywords(schema: JsonObject): void {
  for (const name of ["patternProperties", "prefixItems", "dependentSchemas", "$dynamicRef"]) {
    if (schema[name] !== undefined) throw new NotRepresentable();
  }
  const values = [schema["const"], ...(Array.isArray(schema["enum"]) ? schema["enum"] : [])];
  if (values.some((value) => typeof value === "object" && value !== null)) {
    throw new NotRepresentable();
  }
}

function is(schema: JsonObject, type: string, keyword: string): boolean {
  const types = schema["type"];
  if (types === undefined) return schema[keyword] !== undefined;
  return types === type || (Array.isArray(types) && types.includes(type));
}

function isFormat(format: Json | undefined): boolean {
  return typeof format === "string" && FORMATS.has(format);
}

/** Puts what the grammar cannot keep into words, in a fixed order so that equal schemas stay equal. */
function describe(schema: JsonObject): string | null {
  const told: string[] = [];
  for (const name of TOLD) {
    const value = schema[name];
    const says = value !== undefined && value !== false && value !== null;
    if (says && !(name === "format" && isFormat(value)))
      told.push(`${name} ${JSON.stringify(value)}`);
  }
  const own = schema["description"];
  const parts = typeof own === "string" && own !== "" ? [own] : [];
  if (told.length > 0) parts.push(`Must satisfy: ${told.join(", ")}.`);
  return parts.length === 0 ? null : parts.join("\n");
}
