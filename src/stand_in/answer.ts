import * as v from "valibot";
import type { JsonObject } from "../std/json.ts";
import { messageEvents, wholeMessage } from "./anthropic_answer.ts";
import { checkMessages } from "./anthropic_check.ts";
import { messagesQuestion } from "./anthropic_request.ts";
import { embeddings, EmbeddingsRequest, MistralEmbeddingsRequest } from "./embeddings.ts";
import { schemaRefusal } from "./mistral_check.ts";
import { modelList } from "./models.ts";
import { completionChunks, wholeCompletion } from "./openai_answer.ts";
import { fieldRefusal } from "./openai_check.ts";
import { DIALECTS } from "./openai_dialects.ts";
import { chatQuestion } from "./openai_request.ts";
import { anthropicRefusal, openAiRefusal, type Refusal } from "./refusal.ts";
import { replyTo } from "./reply.ts";
import type { Route } from "./routes.ts";

/** What a key begins with that is refused. */
const REFUSED_KEY = "sk-refused";

/** The usual answer to a request: an error, a JSON body, or the pieces of an event stream. */
export type Answer =
  | { readonly refusal: Refusal }
  | { readonly whole: JsonObject }
  | { readonly events: readonly string[] };

/** Returns the usual answer. It is the same for the same request. */
export function answerTo(route: Route, headers: Headers, body: JsonObject | null): Answer {
  const unauthorized = authorization(route, headers);
  if (unauthorized !== null) return { refusal: unauthorized };
  if (route.operation === "models") return { whole: modelList(route.speaker) };
  if (body === null) return { refusal: errorOf(route, 400, "Request body is not a JSON object") };
  if (route.speaker === "anthropic") return answerMessages(headers, body);
  const named = route.deployment === null ? body : { model: route.deployment, ...body };
  return route.operation === "chat" ? answerChat(route, named) : answerEmbeddings(route, named);
}

/** Returns an error with a status of one's choice, in the provider's own shape. */
export function errorOf(route: Route, status: number, message: string): Refusal {
  if (route.speaker === "anthropic") return anthropicRefusal(status, message);
  return DIALECTS[route.speaker].refuse(status, message);
}

function authorization(route: Route, headers: Headers): Refusal | null {
  const bearer = /^Bearer (\S+)$/.exec(headers.get("authorization") ?? "")?.[1];
  const other = { anthropic: "x-api-key", azure: "api-key" }[
    route.speaker as "anthropic" | "azure"
  ];
  const key = bearer ?? (other === undefined ? null : headers.get(other));
  if (key === null || key === "") return errorOf(route, 401, "No API key provided");
  // For whoever wants to see what comes of a key that does not work.
  if (key.startsWith(REFUSED_KEY)) return errorOf(route, 401, `Incorrect API key provided: ${key}`);
  return null;
}

function answerMessages(headers: Headers, body: JsonObject): Answer {
  const version = headers.get("anthropic-version");
  if (version !== "2023-06-01" && version !== "2026-10-21")
    return { refusal: anthropicRefusal(400, "anthropic-version: header is required") };
  const checked = checkMessages(body);
  if ("refusal" in checked) return checked;
  const reply = replyTo(messagesQuestion(checked.request));
  if (checked.request.stream !== true) return { whole: wholeMessage(checked.request, reply) };
  const events = [...messageEvents(checked.request, reply)];
  return {
    events: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
  };
}

function answerChat(route: Route, body: JsonObject): Answer {
  if (route.speaker === "anthropic")
    return { refusal: anthropicRefusal(404, "Not found: /v1/chat/completions") };
  const dialect = DIALECTS[route.speaker];
  const checked = dialect.check(body);
  if ("refusal" in checked) return checked;
  const reply = replyTo(chatQuestion(checked.request));
  if (checked.request.stream !== true)
    return { whole: wholeCompletion(checked.request, reply, dialect) };
  const chunks = [...completionChunks(checked.request, reply, dialect)];
  const events = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  return { events: [...events, "data: [DONE]\n\n"] };
}

function answerEmbeddings(route: Route, body: JsonObject): Answer {
  if (route.speaker === "anthropic" || route.speaker === "groq")
    return { refusal: openAiRefusal(404, "Unknown request URL", { code: "unknown_url" }) };
  if (route.speaker === "mistral") {
    const parsed = v.safeParse(MistralEmbeddingsRequest, body);
    if (!parsed.success) return { refusal: schemaRefusal(parsed.issues[0]) };
    const { input, model, output_dimension: dimensions } = parsed.output;
    return { whole: { id: "embd-standin", ...embeddings({ input }, model, dimensions) } };
  }
  const parsed = v.safeParse(EmbeddingsRequest, body);
  if (!parsed.success) return { refusal: fieldRefusal(parsed.issues[0]) };
  const model = DIALECTS[route.speaker].servedModel(parsed.output.model);
  return { whole: embeddings(parsed.output, model, parsed.output.dimensions) };
}
