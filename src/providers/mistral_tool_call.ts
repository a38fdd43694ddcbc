import { isJsonObject, type JsonObject } from "../std/json.ts";

/** A tool call, or a piece of one, as Mistral wrote it. */
export interface MistralToolCall {
  /** Null if it has none; Mistral then writes the word "null". */
  readonly id: string | null;
  readonly name: string | null;
  /** JSON text, whole or a piece. */
  readonly args: string;
}

/** Reads a tool call whose arguments may be an object or a text. */
export function readToolCall(call: JsonObject): MistralToolCall {
  const called = isJsonObject(call["function"]) ? call["function"] : {};
  const { name, arguments: args } = called;
  const { id } = call;
  return {
    id: typeof id === "string" && id !== "" && id !== "null" ? id : null,
    name: typeof name === "string" && name !== "" ? name : null,
    args: typeof args === "string" ? args : args ? JSON.stringify(args) : "",
  };
}
