import { invalidValue } from "../domain/errors.ts";
import type { JsonObject } from "../std/json.ts";
import type { TextBlock, Tool } from "./anthropic.ts";
import type { AnthropicModel } from "./anthropic_models.ts";
import { toSchemaSubset } from "./json_schema_subset.ts";
import { expected, given, objectAt } from "./openai_to_anthropic_fields.ts";
import { toolSchema } from "./openai_to_anthropic_tools.ts";

/** How the model is brought to answer in the format that the client wants. At most one of them is set. */
export interface AnswerFormat {
  /** A schema that the model keeps to by itself. */
  readonly schema?: JsonObject;
  /** A tool that it is forced to call; its input is the answer. */
  readonly tool?: Tool;
  /** A request in words. */
  readonly instruction?: TextBlock;
}

export interface FormatContext {
  readonly model: AnthropicModel;
  /** Whether the client gave tools of its own. */
  readonly hasTools: boolean;
  /** Tool names that are taken. */
  readonly toolNames: ReadonlySet<string>;
}

const ANY_OBJECT = "Respond with a single valid JSON object and nothing else.";
const SCHEMA_PARAM = "response_format.json_schema.schema";

/**
 * Translates `response_format`.
 *
 * @throws {ProxyError} If the schema can neither be kept by the model nor be given to it as a tool.
 */
export function translateFormat(body: JsonObject, context: FormatContext): AnswerFormat {
  const value = given(body, "response_format");
  if (value === undefined) return {};
  const format = objectAt(value, "response_format");
  switch (format["type"]) {
    case "text":
      return {};
    case "json_object":
      return { instruction: { type: "text", text: ANY_OBJECT } };
    case "json_schema":
      return schemaFormat(objectAt(format["json_schema"], "response_format.json_schema"), context);
    default:
      throw expected("response_format.type", '"text", "json_object" or "json_schema"');
  }
}

function schemaFormat(format: JsonObject, context: FormatContext): AnswerFormat {
  const wanted = given(format, "schema");
  if (wanted === undefined) return { instruction: { type: "text", text: ANY_OBJECT } };
  const schema = described(objectAt(wanted, SCHEMA_PARAM), format["description"]);
  const { model } = context;
  const subset = model.jsonSchema ? toSchemaSubset(schema) : null;
  if (subset !== null) return { schema: subset };
  const inputSchema = context.hasTools || !model.forcedToolChoice ? null : toolSchema(schema);
  if (inputSchema === null) {
    throw invalidValue(
      SCHEMA_PARAM,
      `Cannot translate "${SCHEMA_PARAM}": this model cannot keep to it`,
    );
  }
  let name = "json_response";
  while (context.toolNames.has(name)) name += "_";
  return { tool: { name, description: "Gives the answer.", input_schema: inputSchema } };
}

/** Moves the description of a format to its schema, where the model reads it. */
function described(schema: JsonObject, description: unknown): JsonObject {
  if (typeof description !== "string" || description === "") return schema;
  return schema["description"] === undefined ? { ...schema, description } : schema;
}
