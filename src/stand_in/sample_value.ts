import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/** Bounds nesting: schemas may refer to themselves. */
const DEPTH_MAX = 8;

/** Returns a value that fits a JSON schema, always the same one. */
export function sampleValue(schema: JsonObject, root: JsonObject = schema, depth = 0): Json {
  if (depth > DEPTH_MAX) return null;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum[0] !== undefined) return schema.enum[0];
  const other = referred(schema, root) ?? alternative(schema);
  if (other !== null) return sampleValue(other, root, depth + 1);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "string":
      return "text";
    case "integer":
    case "number":
      return typeof schema.minimum === "number" ? schema.minimum : 1;
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return isJsonObject(schema.items) ? [sampleValue(schema.items, root, depth + 1)] : [];
    default:
      return sampleObject(schema, root, depth);
  }
}

/** Returns an object that fits an object schema. */
export function sampleObject(schema: JsonObject, root: JsonObject = schema, depth = 0): JsonObject {
  const sample: JsonObject = {};
  if (!isJsonObject(schema.properties)) return sample;
  for (const [name, property] of Object.entries(schema.properties)) {
    if (isJsonObject(property)) sample[name] = sampleValue(property, root, depth + 1);
  }
  return sample;
}

function alternative(schema: JsonObject): JsonObject | null {
  for (const choices of [schema.anyOf, schema.oneOf, schema.allOf]) {
    if (Array.isArray(choices) && isJsonObject(choices[0])) return choices[0];
  }
  return null;
}

function referred(schema: JsonObject, root: JsonObject): JsonObject | null {
  if (typeof schema.$ref !== "string" || !schema.$ref.startsWith("#")) return null;
  let place: Json | undefined = root;
  for (const step of schema.$ref.split("/").slice(1)) {
    place = isJsonObject(place) ? place[step] : undefined;
  }
  return isJsonObject(place) ? place : null;
}
