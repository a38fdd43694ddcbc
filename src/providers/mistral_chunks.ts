import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { withMembers } from "./edit_value.ts";
import { finishReason, throwIfError } from "./mistral_answer.ts";
import { readAnswerContent } from "./mistral_answer_content.ts";
import { MistralToolStream } from "./mistral_tool_stream.ts";

/**
 * Begins one stream: returns what brings Mistral's chunks into OpenAI's shape, tool calls counted from 0 in
 * the order in which they begin. Plain text passes as it is.
 */
export function mistralChunks(): (chunk: JsonObject) => JsonObject {
  const toolStreams = new Map<Json | undefined, MistralToolStream>();
  return (chunk) => {
    throwIfError(chunk);
    const { choices } = chunk;
    if (!Array.isArray(choices)) return chunk;
    const rewritten = choices.map((choice) => {
      if (!isJsonObject(choice)) return choice;
      const reason = finishReason(choice["finish_reason"], chunk);
      const index = choice["index"] ?? 0;
      let tools = toolStreams.get(index);
      if (tools === undefined) {
        tools = new MistralToolStream(JSON.stringify([chunk["id"], index]));
        toolStreams.set(index, tools);
      }
      return withMembers(choice, {
        index,
        delta: delta(choice["delta"], tools),
        finish_reason: reason,
      });
    });
    const same = rewritten.every((choice, at) => choice === choices[at]);
    return same ? chunk : { ...chunk, choices: rewritten };
  };
}

function delta(given: Json | undefined, tools: MistralToolStream): JsonObject {
  if (!isJsonObject(given)) return {};
  const { content, tool_calls: calls } = given;
  const edits: JsonObject = {};
  if (Array.isArray(content)) {
    const { text, reasoning } = readAnswerContent(content);
    edits["content"] = text ?? undefined;
    edits["reasoning_content"] = reasoning ?? undefined;
  }
  if (calls === null) edits["tool_calls"] = undefined;
  if (Array.isArray(calls)) {
    const pieces = calls.filter(isJsonObject).map((call) => tools.push(call));
    edits["tool_calls"] = pieces.length > 0 ? pieces : undefined;
  }
  return withMembers(given, edits);
}
