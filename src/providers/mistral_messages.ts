import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { mistralContent } from "./mistral_content.ts";
import { mistralToolId } from "./mistral_tool_id.ts";

/**
 * Rewrites messages for Mistral: its four roles, only the members it knows, tool call ids of its form.
 *
 * @throws {ProxyError} If Mistral has no form for a message, or refuses the order: it answers a tool's
 *   result itself before the user speaks again.
 */
export function mistralMessages(messages: Json | undefined): Json | undefined {
  if (!Array.isArray(messages)) return messages;
  const rewritten = messages.map((given, index) => {
    const at = `messages[${index}]`;
    if (!isJsonObject(given)) throw invalidValue(at, "Cannot send message: it is no object");
    const previous = messages[index - 1];
    if (given["role"] === "user" && isJsonObject(previous) && previous["role"] === "tool") {
      throw invalidValue(
        `${at}.role`,
        "Cannot send message: Mistral takes no user message right after a tool message",
      );
    }
    return message(given, at);
  });
  const last = rewritten.at(-1);
  // A conversation may end with the beginning of the answer, if it says so.
  if (last?.["role"] === "assistant" && !last["tool_calls"]) last["prefix"] = true;
  return rewritten;
}

function message(given: JsonObject, at: string): JsonObject {
  const { role, content } = given;
  switch (role) {
    case "system":
    case "developer":
      return { role: "system", content: mistralContent(content ?? "", at) };
    case "user":
      return { role, content: mistralContent(content ?? "", at) };
    case "tool":
      return tool(given, at);
    case "assistant":
      return assistant(given, at);
    default:
      throw invalidValue(`${at}.role`, "Cannot send message: Mistral does not know its role");
  }
}

function tool(given: JsonObject, at: string): JsonObject {
  const { content, tool_call_id: id, name } = given;
  return {
    role: "tool",
    content: mistralContent(content ?? "", at),
    ...(typeof id === "string" ? { tool_call_id: mistralToolId(id) } : {}),
    ...(typeof name === "string" ? { name } : {}),
  };
}

function assistant(given: JsonObject, at: string): JsonObject {
  for (const member of ["audio", "function_call"]) {
    if (!isJsonObject(given[member])) continue;
    throw invalidValue(`${at}.${member}`, "Cannot send message: Mistral has no form for this part");
  }
  const calls = given["tool_calls"];
  const content = given["content"] || given["refusal"] || "";
  return {
    role: "assistant",
    content: mistralContent(content, at),
    ...(Array.isArray(calls) && calls.length > 0 ? { tool_calls: toolCalls(calls, at) } : {}),
    ...(given["prefix"] === true ? { prefix: true } : {}),
  };
}

function toolCalls(calls: Json[], at: string): Json[] {
  return calls.map((call, index) => {
    const called = isJsonObject(call) ? call["function"] : undefined;
    if (!isJsonObject(call) || !isJsonObject(called)) {
      const param = `${at}.tool_calls[${index}].type`;
      throw invalidValue(param, "Cannot send tool call: Mistral knows only calls of functions");
    }
    const { id } = call;
    return {
      ...(typeof id === "string" ? { id: mistralToolId(id) } : {}),
      type: "function",
      function: { name: called["name"], arguments: called["arguments"] ?? "" },
    };
  });
}
