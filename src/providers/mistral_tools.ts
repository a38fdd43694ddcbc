import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json } from "../std/json.ts";

/**
 * Rewrites tools for Mistral: a function keeps only the members it knows and always has parameters.
 *
 * @throws {ProxyError} If a tool of type `function` describes none.
 */
export function mistralTools(tools: Json | undefined): Json | undefined {
  if (!Array.isArray(tools)) return tools;
  return tools.map((tool, index) => {
    if (!isJsonObject(tool) || (tool["type"] ?? "function") !== "function") return tool;
    const described = tool["function"];
    if (!isJsonObject(described)) {
      throw invalidValue(`tools[${index}].function`, "Cannot send tool: it describes no function");
    }
    const { name, description, strict, parameters } = described;
    return {
      type: "function",
      function: {
        name,
        ...(typeof description === "string" ? { description } : {}),
        ...(typeof strict === "boolean" ? { strict } : {}),
        parameters: parameters ?? { type: "object", properties: {} },
      },
    };
  });
}

/** Rewrites the choice among tools for Mistral, which calls `required` by the name `any`. */
export function mistralToolChoice(choice: Json | undefined): Json | undefined {
  return choice === "required" ? "any" : choice;
}
