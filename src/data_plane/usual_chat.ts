import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/** What the name of a model is made of, with its provider: visible ASCII. */
export const MODEL_NAME = /^[\x21-\x7e]{1,200}$/;

/**
 * Whether a chat request is one that `ChatBody` takes, told at a glance: looking at it with the schema takes longer
 * than parsing it. Of the others some are fine too; the schema judges them, and says what is wrong.
 */
export function isUsualChat(body: JsonObject): boolean {
  const { model, messages, stream, stream_options: options } = body;
  return (
    typeof model === "string" &&
    MODEL_NAME.test(model) &&
    isConversation(messages) &&
    isFlag(stream) &&
    (options === undefined || (isJsonObject(options) && isFlag(options["include_usage"]))) &&
    isLimit(body["max_tokens"]) &&
    isLimit(body["max_completion_tokens"]) &&
    body["n"] === undefined
  );
}

function isConversation(messages: Json | undefined): boolean {
  return Array.isArray(messages) && messages.length > 0 && messages.every(hasRole);
}

function hasRole(message: Json): boolean {
  return isJsonObject(message) && typeof message["role"] === "string";
}

function isFlag(value: Json | undefined): boolean {
  return value === undefined || typeof value === "boolean";
}

function isLimit(value: Json | undefined): boolean {
  return (
    value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value > 0)
  );
}
