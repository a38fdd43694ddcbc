import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

const UNSUPPORTED = [
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
  "minProperties",
  "maxProperties",
  "if",
  "then",
  "else",
  "not",
  "oneOf",
];
const OPTIONAL_PROPERTIES_MAX = 24;

/** Returns why a schema cannot shape an answer, or null if it can. */
export function schemaProblem(schema: JsonObject): string | null {
  const schemas = [...schemasIn(schema)];
  for (const part of schemas) {
    const keyword = UNSUPPORTED.find((name) => part[name] !== undefined);
    if (keyword !== undefined)
      return `output_config.format.schema: property '${keyword}' is not supported`;
    if (part.type === "object" && part.additionalProperties !== false)
      return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  const optional = schemas.reduce((sum, part) => sum + optionalProperties(part), 0);
  if (optional > OPTIONAL_PROPERTIES_MAX)
    return `output_config.format.schema: Schema contains ${optional} optional properties`;
  return recursionProblem(schema);
}

/** Yields a schema and every schema within it; `properties` and `$defs` hold schemas, not keywords. */
function* schemasIn(schema: JsonObject): Generator<JsonObject> {
  yield schema;
  for (const named of [schema.properties, schema.$defs, schema.definitions]) {
    if (isJsonObject(named)) yield* eachSchema(Object.values(named));
  }
  for (const listed of [schema.anyOf, schema.allOf]) {
    if (Array.isArray(listed)) yield* eachSchema(listed);
  }
  yield* eachSchema([schema.items]);
}

function* eachSchema(values: readonly (Json | undefined)[]): Generator<JsonObject> {
  for (const value of values) if (isJsonObject(value)) yield* schemasIn(value);
}

function optionalProperties(schema: JsonObject): number {
  if (!isJsonObject(schema.properties)) return 0;
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.keys(schema.properties).filter((name) => !required.includes(name)).length;
}

function recursionProblem(root: JsonObject): string | null {
  const definitions = isJsonObject(root.$defs) ? root.$defs : {};
  const visit = (name: string, above: readonly string[]): boolean => {
    if (above.includes(name)) return true;
    const definition = definitions[name];
    if (!isJsonObject(definition)) return false;
    return [...referencesIn(definition)].some((next) => visit(next, [...above, name]));
  };
  const recursive =
    [...referencesIn(root)].includes("") ||
    Object.keys(definitions).some((name) => visit(name, []));
  return recursive ? "output_config.format.schema: Recursive schemas are not supported" : null;
}

/** Yields the definitions that a schema refers to; the empty name is the root itself. */
function* referencesIn(schema: JsonObject): Generator<string> {
  for (const part of schemasIn(schema)) {
    if (typeof part.$ref === "string") yield part.$ref.replace(/^#(\/\$defs\/)?/, "");
  }
}
