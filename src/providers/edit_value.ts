import type { Json, JsonObject } from "../std/json.ts";

// Edits of parsed JSON that return the very same value if they change nothing: a body that is still the
// same object is sent on byte for byte.

/** Returns the object with only these members. */
export function keepMembers(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  const all = Object.keys(object);
  const kept = all.filter((name) => names.has(name));
  if (kept.length === all.length) return object;
  return Object.fromEntries(kept.map((name) => [name, object[name]]));
}

/** Returns the object with these members set, or left out where the value is `undefined`. */
export function withMembers(object: JsonObject, values: JsonObject): JsonObject {
  const changed = Object.keys(values).some((name) => object[name] !== values[name]);
  if (!changed) return object;
  const edited = { ...object, ...values };
  for (const name of Object.keys(values)) if (values[name] === undefined) delete edited[name];
  return edited;
}

/** Returns the array with each item rewritten. */
export function mapItems(items: Json[], rewrite: (item: Json, index: number) => Json): Json[] {
  const mapped = items.map(rewrite);
  return mapped.every((item, index) => item === items[index]) ? items : mapped;
}
