import type { Operation } from "../domain/provider.ts";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../std/json.ts";
import { editObject, scanObject } from "../std/json_text.ts";
import { editAnswer } from "./edit_answer.ts";
import { readEmbeddingsFrame } from "./embeddings_frame.ts";
import { choiceBytes } from "./openai_output_bytes.ts";
import type { OpenAiQuirks, QuirkedRequest } from "./openai_quirks.ts";
import { OpenAiStream } from "./openai_stream.ts";
import { toOpenAiUsage } from "./openai_usage.ts";
import { addsUp, readOpenAiUsage } from "./read_openai_usage.ts";
import {
  type ClientRequest,
  type Translation,
  UpstreamFault,
  type WholeAnswer,
} from "./translation.ts";

/** OpenAI's own wire: nothing to rewrite beyond the documented edits. */
const NO_QUIRKS: OpenAiQuirks = { asksForStreamUsage: true };

/**
 * Passes a call through to a provider that speaks the client's wire.
 *
 * Bytes stay as they are but for the model name, the usage asked of every stream and, where the provider
 * differs from OpenAI, what its quirks rewrite.
 *
 * @throws {ProxyError} If the provider cannot honour a field of the request.
 */
export function openAiTranslation(
  request: ClientRequest,
  operation: Operation,
  quirks: OpenAiQuirks = NO_QUIRKS,
): Translation {
  const rewritten =
    operation === "chat" ? quirks.chatRequest?.(request) : quirks.embeddingsRequest?.(request);
  return {
    upstreamBody: upstreamBody(request, quirks, rewritten),
    outputTokensMax: null,
    dropped: rewritten?.dropped ?? [],
    whole: (text) => (operation === "chat" ? completion : embeddings)(text, request, quirks),
    stream: () => new OpenAiStream(request, quirks),
  };
}

function upstreamBody(
  request: ClientRequest,
  quirks: OpenAiQuirks,
  rewritten: QuirkedRequest | undefined,
): string {
  const values: Record<string, string> = { model: JSON.stringify(request.upstreamModel) };
  if (request.stream && quirks.asksForStreamUsage) {
    const options = request.body["stream_options"];
    const asked = { ...(isJsonObject(options) ? options : {}), include_usage: true };
    values["stream_options"] = JSON.stringify(asked);
  }
  if (rewritten === undefined || rewritten.body === request.body) {
    return editObject(request.text, request.members, values);
  }
  const text = JSON.stringify(rewritten.body);
  return editObject(text, scanObject(text), values);
}

function completion(text: string, request: ClientRequest, quirks: OpenAiQuirks): WholeAnswer {
  const given = readAnswer(text);
  const answer = quirks.completion?.(given) ?? given;
  if (!Array.isArray(answer["choices"])) throw notAnAnswer();
  const usage = readOpenAiUsage(answer["usage"]);
  const values: Record<string, string> = { model: JSON.stringify(request.requestedModel) };
  if (usage !== null && !addsUp(answer["usage"] as JsonObject)) {
    values["usage"] = JSON.stringify(toOpenAiUsage(usage));
  }
  return {
    clientBody: edited(given, answer, text, values),
    usage,
    servedModel: modelOf(answer),
    outputBytes: choiceBytes(answer["choices"], "message"),
  };
}

function embeddings(text: string, request: ClientRequest, quirks: OpenAiQuirks): WholeAnswer {
  const values = { model: JSON.stringify(request.requestedModel) };
  const frame = quirks.embeddings === undefined ? readEmbeddingsFrame(text) : null;
  if (frame !== null) return embeddingsAnswer(editAnswer(text, values), frame);
  const given = readAnswer(text);
  const answer = quirks.embeddings?.(given, request) ?? given;
  if (!Array.isArray(answer["data"])) throw notAnAnswer();
  return embeddingsAnswer(edited(given, answer, text, values), answer);
}

function embeddingsAnswer(clientBody: string, answer: JsonObject): WholeAnswer {
  return {
    clientBody,
    usage: readOpenAiUsage(answer["usage"]),
    servedModel: modelOf(answer),
    outputBytes: 0,
  };
}

function edited(
  given: JsonObject,
  answer: JsonObject,
  givenText: string,
  values: Record<string, string>,
): string {
  return editAnswer(answer === given ? givenText : JSON.stringify(answer), values);
}

function readAnswer(text: string): JsonObject {
  const answer = parseJsonObject(text);
  if (answer === null)
    throw new UpstreamFault("Cannot read answer: the provider sent no JSON object");
  if (answer["error"]) throw errorIn(answer, answer["error"]);
  return answer;
}

/** A body of some other kind: as it reports no error, tokens may have been spent on it. */
function notAnAnswer(): UpstreamFault {
  return new UpstreamFault("Cannot read answer: it has no result");
}

/** An error in the guise of a success. */
function errorIn(answer: JsonObject, error: Json): UpstreamFault {
  const { message, type, code } = isJsonObject(error) ? error : { message: error };
  return new UpstreamFault(textOf(message) ?? "The provider reported an error", {
    type: textOf(type),
    code: textOf(code),
    body: answer,
  });
}

function modelOf(answer: JsonObject): string | null {
  return textOf(answer["model"]);
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
