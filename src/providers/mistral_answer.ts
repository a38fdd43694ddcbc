import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import { UpstreamFault } from "../wire/translation.ts";
import { describeUpstreamError } from "../wire/upstream_error_body.ts";
import { readAnswerContent } from "./mistral_answer_content.ts";
import { readToolCall } from "./mistral_tool_call.ts";
import { mistralToolId } from "./mistral_tool_id.ts";

/**
 * Brings a whole chat answer of Mistral into OpenAI's shape.
 *
 * @throws {UpstreamFault} If it is an error, or the model ended with one.
 */
export function mistralCompletion(answer: JsonObject): JsonObject {
  throwIfError(answer);
  const { choices } = answer;
  if (!Array.isArray(choices)) return answer;
  return {
    ...answer,
    choices: choices.map((choice, index) =>
      isJsonObject(choice) ? wholeChoice(choice, index, answer) : choice,
    ),
  };
}

/** @throws {UpstreamFault} If an answer or a chunk is an error in disguise. */
export function throwIfError(answer: JsonObject): void {
  if (answer["object"] !== "error") return;
  const { message, type, code } = describeUpstreamError(answer);
  const said = message ?? "Cannot complete answer: Mistral reported an error";
  throw new UpstreamFault(said, { type, code, body: answer });
}

/**
 * Returns the reason in OpenAI's words.
 *
 * @param answer What the choice stands in, for the fault.
 * @throws {UpstreamFault} If the model ended with an error.
 */
export function finishReason(given: Json | undefined, answer: JsonObject): Json {
  if (given === "error") {
    throw new UpstreamFault("Cannot complete answer: the model ended with an error", {
      body: answer,
    });
  }
  return given === "model_length" ? "length" : (given ?? null);
}

function wholeChoice(choice: JsonObject, index: number, answer: JsonObject): JsonObject {
  const message = isJsonObject(choice["message"]) ? choice["message"] : {};
  const { content, tool_calls: calls, prefix: _, ...rest } = message;
  const said = Array.isArray(content)
    ? readAnswerContent(content)
    : { text: content ?? null, reasoning: null };
  const toolCalls = Array.isArray(calls) ? calls.filter(isJsonObject) : [];
  return {
    ...choice,
    index: choice["index"] ?? index,
    message: {
      role: "assistant",
      ...rest,
      content: said.text,
      refusal: null,
      ...(said.reasoning === null ? {} : { reasoning_content: said.reasoning }),
      ...(toolCalls.length === 0
        ? {}
        : { tool_calls: toolCalls.map((call, at) => wholeToolCall(call, answer, index, at)) }),
    },
    logprobs: null,
    finish_reason: finishReason(choice["finish_reason"], answer),
  };
}

function wholeToolCall(
  given: JsonObject,
  answer: JsonObject,
  choice: number,
  at: number,
): JsonObject {
  const call = readToolCall(given);
  return {
    id: call.id ?? mistralToolId(JSON.stringify([answer["id"], choice, at])),
    type: "function",
    function: { name: call.name ?? "", arguments: call.args },
  };
}
