import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/** The tools of a request and how the model must choose among them; absent where there is nothing to send. */
export interface ToolSelection {
  readonly tools: Json | undefined;
  readonly choice: Json | undefined;
}

/**
 * Brings `tools` and `tool_choice` into the forms that every provider of the OpenAI wire knows: without
 * custom tools, and the choice `auto`, `none`, `required` or one named function. A choice among allowed
 * tools becomes a shorter list of tools; an empty list is left out, and the choice with it.
 *
 * @throws {ProxyError} If a tool or a choice has no such form.
 */
export function selectTools(body: JsonObject, provider: string): ToolSelection {
  const tools = body["tools"] ?? undefined;
  const choice = body["tool_choice"] ?? undefined;
  if (Array.isArray(tools)) {
    if (tools.length === 0) return { tools: undefined, choice: undefined };
    tools.forEach((tool, index) => {
      if (!isJsonObject(tool) || tool["type"] !== "custom") return;
      throw invalidValue(
        `tools[${index}].type`,
        `Cannot send tool: ${provider} knows no custom tools`,
      );
    });
  }
  if (!isJsonObject(choice)) return { tools, choice };
  switch (choice["type"]) {
    case "function":
      if (nameOf(choice) === null) throw badChoice("it names no function");
      return { tools, choice };
    case "allowed_tools":
      return allowedTools(tools, choice);
    case "any":
      return { tools, choice: "required" };
    case "auto":
    case "none":
    case "required":
      return { tools, choice: choice["type"] };
    default:
      throw badChoice(`${provider} knows no choice of this type`);
  }
}

function allowedTools(tools: Json | undefined, choice: JsonObject): ToolSelection {
  const allowed = isJsonObject(choice["allowed_tools"]) ? choice["allowed_tools"] : choice;
  const named = new Set(Array.isArray(allowed["tools"]) ? allowed["tools"].map(nameOf) : []);
  const given = Array.isArray(tools) ? tools : [];
  const known = new Set(given.map(nameOf));
  if (named.size === 0) throw badChoice("it allows no tool");
  if (named.has(null) || !named.isSubsetOf(known)) {
    throw badChoice("it allows a tool that the request does not define");
  }
  return {
    tools: given.filter((tool) => named.has(nameOf(tool))),
    choice: allowed["mode"] === "required" ? "required" : "auto",
  };
}

function nameOf(tool: Json): string | null {
  if (!isJsonObject(tool)) return null;
  const named = isJsonObject(tool["function"]) ? tool["function"] : tool;
  return typeof named["name"] === "string" ? named["name"] : null;
}

function badChoice(what: string): Error {
  return invalidValue("tool_choice", `Cannot send tool_choice: ${what}`);
}
