export type Json = string | number | boolean | null | Json[] | JsonObject;

/** A JSON object as parsed. A member that is absent reads as `undefined`. */
export interface JsonObject {
  [name: string]: Json | undefined;
}

/** Whether a parsed value is an object, and neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the parsed object, or null if the text is not JSON or not an object. */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
