import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/** Bounds the schemas that one `allOf` may bring together, nested ones and those referred to included. */
const MAX_MERGED_SCHEMAS = 100;

/** What may stand in object schemas that become one. Everything else would change its meaning. */
const MERGEABLE = new Set([
  "type",
  "properties",
  "required",
  "additionalProperties",
  "allOf",
  "title",
  "description",
  "$schema",
  "$id",
  "$defs",
  "definitions",
]);

/**
 * Writes an object schema with `allOf` as one schema without it.
 *
 * @param root The schema that local references point into.
 * @returns Null if its parts are not all plain objects, or disagree on a property.
 */
export function mergeAllOf(schema: JsonObject, root: JsonObject): JsonObject | null {
  const parts: JsonObject[] = [];
  if (!collect(schema, root, parts)) return null;
  const properties = new Map<string, Json>();
  const required = new Set<Json>();
  let closed = false;
  for (const part of parts) {
    if (part["additionalProperties"] === false) closed = true;
    for (const name of Array.isArray(part["required"]) ? part["required"] : []) required.add(name);
    const own = isJsonObject(part["properties"]) ? part["properties"] : {};
    for (const [name, property] of Object.entries(own)) {
      if (property === undefined) continue;
      const other = properties.get(name);
      const agrees = other === undefined || JSON.stringify(other) === JSON.stringify(property);
      if (!agrees) return null;
      properties.set(name, property);
    }
  }
  const { allOf: _allOf, ...merged } = schema;
  merged["type"] = "object";
  merged["properties"] = Object.fromEntries(properties);
  if (required.size > 0) merged["required"] = [...required];
  // Each part closes the object to its own properties only; what is meant is that all of them are known.
  if (closed) merged["additionalProperties"] = false;
  return merged;
}

function collect(schema: JsonObject, root: JsonObject, parts: JsonObject[]): boolean {
  if (parts.length >= MAX_MERGED_SCHEMAS) return false;
  if (!Object.keys(schema).every((name) => MERGEABLE.has(name))) return false;
  if (schema["type"] !== undefined && schema["type"] !== "object") return false;
  const additional = schema["additionalProperties"];
  if (additional !== undefined && typeof additional !== "boolean") return false;
  parts.push(schema);
  if (schema["allOf"] === undefined) return true;
  if (!Array.isArray(schema["allOf"])) return false;
  return schema["allOf"].every((member) => {
    const part = resolved(member, root);
    return part !== null && collect(part, root, parts);
  });
}

function resolved(member: Json, root: JsonObject): JsonObject | null {
  if (!isJsonObject(member)) return null;
  const reference = member["$ref"];
  if (reference === undefined) return member;
  if (typeof reference !== "string" || Object.keys(member).length !== 1) return null;
  const target = findReferred(reference, root);
  return isJsonObject(target) && target["$ref"] === undefined ? target : null;
}

/** Returns what a reference within the same schema points to; null if it points nowhere or elsewhere. */
export function findReferred(reference: string, root: JsonObject): Json | null {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return null;
  let value: Json | undefined = root;
  for (const step of reference.slice(2).split("/")) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isJsonObject(value) && Object.hasOwn(value, name)) value = value[name];
    else if (Array.isArray(value)) value = value[Number(name)];
    else return null;
  }
  return value ?? null;
}
