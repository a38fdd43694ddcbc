import { invalidValue } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { keepMembers, mapItems, withMembers } from "./edit_value.ts";

/** The members of a message that Groq knows; it refuses a message with any other. */
const MEMBERS = new Map<Json | undefined, ReadonlySet<string>>([
  ["system", new Set(["role", "content"])],
  ["developer", new Set(["role", "content"])],
  ["user", new Set(["role", "content"])],
  ["assistant", new Set(["role", "content", "reasoning", "tool_calls", "function_call"])],
  ["tool", new Set(["role", "content", "tool_call_id"])],
  ["function", new Set(["role", "content", "name"])],
]);
const TOOL_CALL_MEMBERS = new Set(["id", "type", "function"]);
const TEXT_MEMBERS = new Set(["type", "text"]);
const IMAGE_MEMBERS = new Set(["type", "image_url"]);

/**
 * Rewrites messages for Groq; the same array if nothing changes.
 *
 * @param reasons Whether the model takes reasoning of earlier turns back.
 * @throws {ProxyError} If Groq has no form for a message.
 */
export function groqMessages(messages: Json | undefined, reasons: boolean): Json | undefined {
  if (!Array.isArray(messages)) return messages;
  return mapItems(messages, (message, index) => {
    if (!isJsonObject(message)) return message;
    const members = MEMBERS.get(message["role"]);
    if (members === undefined) return message;
    const at = `messages[${index}]`;
    const said = message["role"] === "assistant" ? assistant(message, at, reasons) : message;
    return content(keepMembers(said, members), at);
  });
}

function assistant(message: JsonObject, at: string, reasons: boolean): JsonObject {
  if (isJsonObject(message["audio"])) {
    throw invalidValue(`${at}.audio`, "Cannot send message: Groq has no audio output");
  }
  const { content: text, refusal, reasoning_content: thought, tool_calls: calls } = message;
  const edits: JsonObject = {};
  if (!text && typeof refusal === "string") edits["content"] = refusal;
  if (!reasons) edits["reasoning"] = undefined;
  else if (typeof thought === "string") edits["reasoning"] = message["reasoning"] ?? thought;
  if (calls === null) edits["tool_calls"] = undefined;
  else if (Array.isArray(calls)) edits["tool_calls"] = toolCalls(calls, at);
  if (message["function_call"] === null) edits["function_call"] = undefined;
  return withMembers(message, edits);
}

function toolCalls(calls: Json[], at: string): Json | undefined {
  if (calls.length === 0) return undefined;
  return mapItems(calls, (call, index) => {
    if (!isJsonObject(call)) return call;
    if (call["type"] === "custom") {
      const param = `${at}.tool_calls[${index}].type`;
      throw invalidValue(param, "Cannot send tool call: Groq knows no custom tools");
    }
    return keepMembers(call, TOOL_CALL_MEMBERS);
  });
}

function content(message: JsonObject, at: string): JsonObject {
  if (!Array.isArray(message["content"])) return message;
  const parts = mapItems(message["content"], (part, index) =>
    isJsonObject(part) ? contentPart(part, `${at}.content[${index}]`) : part,
  );
  return withMembers(message, { content: parts });
}

function contentPart(part: JsonObject, at: string): JsonObject {
  switch (part["type"]) {
    case "text":
      return keepMembers(part, TEXT_MEMBERS);
    case "refusal":
      return { type: "text", text: part["refusal"] };
    case "image_url":
      return image(keepMembers(part, IMAGE_MEMBERS));
    case "input_audio":
    case "file":
      throw invalidValue(at, `Cannot send content part: Groq takes no ${part["type"]}`);
    default:
      return part;
  }
}

function image(part: JsonObject): JsonObject {
  const given = part["image_url"];
  if (!isJsonObject(given) || given["detail"] !== "original") return part;
  return { ...part, image_url: { ...given, detail: "high" } };
}
