import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json } from "../std/json.ts";
import { keepMembers } from "./edit_value.ts";

const SCHEMA_MEMBERS = new Set(["name", "description", "schema", "strict"]);

/**
 * Rewrites `response_format` for Mistral, which knows the same three types but requires the schema.
 *
 * @throws {ProxyError} If a schema is asked for and not given.
 */
export function mistralResponseFormat(format: Json): Json {
  if (!isJsonObject(format) || format["type"] !== "json_schema") return format;
  const described = format["json_schema"];
  if (!isJsonObject(described) || !isJsonObject(described["schema"])) {
    throw invalidValue(
      "response_format.json_schema.schema",
      "Cannot send response_format: Mistral requires a schema",
    );
  }
  return { type: "json_schema", json_schema: keepMembers(described, SCHEMA_MEMBERS) };
}
