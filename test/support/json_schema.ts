import type { JsonSchema } from "../../src/tools/openapi/json_schema.ts";

/** How a value is held against a schema. */
export interface Rules {
  /** Where references lead, by name. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** Whether a member that the schema does not name is a fault even where others are allowed. */
  readonly strict: boolean;
}

type Keyword = keyof JsonSchema;

/** What is understood here. Anything else would go unchecked, so it is an error. */
const UNDERSTOOD: ReadonlySet<string> = new Set<Keyword>([
  "$ref",
  "additionalProperties",
  "anyOf",
  "const",
  "default",
  "description",
  "enum",
  "examples",
  "format",
  "items",
  "maximum",
  "maxItems",
  "maxLength",
  "minimum",
  "minItems",
  "minLength",
  "pattern",
  "properties",
  "required",
  "title",
  "type",
]);

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
};

/**
 * Holds a value against a schema.
 *
 * @returns What is wrong, place by place; nothing if it fits.
 */
export function faults(value: unknown, schema: JsonSchema, rules: Rules, at = "$"): string[] {
  const unknown = Object.keys(schema).find((keyword) => !UNDERSTOOD.has(keyword));
  if (unknown !== undefined) return [`${at}: the schema says "${unknown}", which nobody checks`];
  const { $ref, anyOf } = schema;
  if ($ref !== undefined) {
    const target = rules.schemas[$ref.replace("#/components/schemas/", "")];
    return target === undefined ? [`${at}: no ${$ref}`] : faults(value, target, rules, at);
  }
  if (anyOf !== undefined) {
    const tried = anyOf.map((option) =>
      typeof option === "boolean" ? [`${at}: nothing fits`] : faults(value, option, rules, at),
    );
    return tried.some((one) => one.length === 0) ? [] : tried.flat();
  }
  return [
    ...typeFaults(value, schema, at),
    ...(typeof value === "string" ? textFaults(value, schema, at) : []),
    ...(typeof value === "number" ? numberFaults(value, schema, at) : []),
    ...(Array.isArray(value) ? itemFaults(value, schema, rules, at) : []),
    ...(isObject(value) ? memberFaults(value, schema, rules, at) : []),
  ];
}

function typeFaults(value: unknown, schema: JsonSchema, at: string): string[] {
  const { type, enum: words } = schema;
  const types = type === undefined ? [] : [type].flat();
  const found = typeOf(value);
  const fits = types.includes(found) || (found === "integer" && types.includes("number"));
  return [
    ...(types.length > 0 && !fits ? [`${at}: ${found} instead of ${types.join(" or ")}`] : []),
    ...(words !== undefined && !words.some((word) => word === value)
      ? [`${at}: ${JSON.stringify(value)} is none of the words`]
      : []),
    ...("const" in schema && schema.const !== value
      ? [`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(schema.const)}`]
      : []),
  ];
}

function typeOf(value: unknown): NonNullable<Exclude<JsonSchema["type"], unknown[]>> {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  if (typeof value === "string" || typeof value === "boolean") {
    return typeof value === "string" ? "string" : "boolean";
  }
  return "object";
}

function textFaults(text: string, schema: JsonSchema, at: string): string[] {
  const { format, pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  const patterns = [
    ...(pattern === undefined ? [] : [new RegExp(pattern, "u")]),
    ...(format === undefined ? [] : [FORMATS[format] ?? /^nobody checks this format$/]),
  ];
  const chars = Array.from(text).length;
  const fits = chars >= minLength && chars <= maxLength && patterns.every((one) => one.test(text));
  return fits ? [] : [`${at}: "${text}" does not fit`];
}

function numberFaults(value: number, schema: JsonSchema, at: string): string[] {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  return value >= minimum && value <= maximum ? [] : [`${at}: ${value} is out of bounds`];
}

function itemFaults(
  value: readonly unknown[],
  { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: JsonSchema,
  rules: Rules,
  at: string,
): string[] {
  if (value.length < minItems || value.length > maxItems) return [`${at}: ${value.length} items`];
  if (typeof items !== "object" || Array.isArray(items)) return [];
  return value.flatMap((item, index) => faults(item, items, rules, `${at}[${index}]`));
}

function memberFaults(
  value: Readonly<Record<string, unknown>>,
  { properties, required = [], additionalProperties: others }: JsonSchema,
  rules: Rules,
  at: string,
): string[] {
  const missing = required.filter((name) => !(name in value));
  // An object of which nothing is said at all is somebody else's.
  const known = properties ?? {};
  const undeclared = Object.keys(value).filter((name) => !Object.hasOwn(known, name));
  const isAnyName =
    properties === undefined || typeof others === "object" || (!rules.strict && others !== false);
  return [
    ...missing.map((name) => `${at}: no "${name}"`),
    ...(isAnyName ? [] : undeclared.map((name) => `${at}: undeclared "${name}"`)),
    ...undeclared.flatMap((name) =>
      typeof others === "object" ? faults(value[name], others, rules, `${at}.${name}`) : [],
    ),
    ...Object.entries(known).flatMap(([name, member]) =>
      name in value && typeof member !== "boolean"
        ? faults(value[name], member, rules, `${at}.${name}`)
        : [],
    ),
  ];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
