import { anthropicEvents, anthropicMessage } from "./anthropic_answers.ts";

/** What the upstream answers to every request until it is told otherwise. */
export type AnswerSpec =
  | { readonly kind: "chat"; readonly wire: "openai" | "anthropic" }
  | {
      readonly kind: "stream";
      readonly wire: "openai" | "anthropic";
      /** How many events there are, all told. */
      readonly events: number;
      /** How long it is between two events of a stream; with 0 all are sent at once. */
      readonly gapMs: number;
    }
  | { readonly kind: "embeddings"; readonly encoding: "float" | "base64" };

/** An answer as bytes: written piece by piece, one each `gapMs`. */
export interface AnswerBytes {
  readonly pieces: readonly Buffer[];
  readonly gapMs: number;
}

/** The model that the upstream says it used: one that has a price. */
export const CHAT_MODEL = "gpt-4o-mini-2024-07-18";

export const VECTORS = 100;
const DIMENSIONS = 1536;

/** Returns the bytes of an answer, status line and headers included. */
export function answerBytes(spec: AnswerSpec): AnswerBytes {
  if (spec.kind !== "stream") return { pieces: [whole(bodyOf(spec))], gapMs: 0 };
  const events = spec.wire === "openai" ? openAiEvents(spec.events) : anthropicEvents(spec.events);
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n" +
    "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
  const pieces = events.map((event) => {
    const bytes = Buffer.from(event);
    return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
  });
  const end = Buffer.concat([pieces.at(-1) ?? CRLF, Buffer.from("0\r\n\r\n")]);
  const all = [Buffer.from(head), ...pieces.slice(0, -1), end];
  const [first = CRLF, second = CRLF, ...rest] = all;
  if (spec.gapMs === 0) return { pieces: [Buffer.concat(all)], gapMs: 0 };
  return { pieces: [Buffer.concat([first, second]), ...rest], gapMs: spec.gapMs };
}

const CRLF = Buffer.from("\r\n");

function bodyOf(spec: Exclude<AnswerSpec, { kind: "stream" }>): string {
  if (spec.kind === "embeddings") return embeddings(spec.encoding);
  return spec.wire === "openai" ? completion() : anthropicMessage(ANSWER_TEXT);
}

function whole(body: string): Buffer {
  const bytes = Buffer.from(body);
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_0123456789abcdef\r\n" +
    `openai-processing-ms: 412\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** The text of every whole answer. */
export const ANSWER_TEXT =
  "A proxy stands between two programs that speak with each other. It says who may call, counts what " +
  'is used and keeps the bill; "nothing more" is what makes it quick.\nAnd it forgets what was said.';

const USAGE = {
  prompt_tokens: 61,
  completion_tokens: 44,
  total_tokens: 105,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

const COMMON = {
  id: "chatcmpl-BvK3mZ0qX9aTf4LdPw7eRn2sYhUcG",
  created: 1_780_000_000,
  model: CHAT_MODEL,
};

function completion(): string {
  const message = { role: "assistant", content: ANSWER_TEXT, refusal: null, annotations: [] };
  return JSON.stringify({
    ...COMMON,
    object: "chat.completion",
    choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
    usage: USAGE,
    service_tier: "default",
    system_fingerprint: "fp_34a54ae93c",
  });
}

/** The role, the text word by word, the finish, the usage and the end: `count` events. */
function openAiEvents(count: number): string[] {
  const chunk = (choices: readonly object[], usage: object | null) => {
    const { id, created, model } = COMMON;
    const head = { id, object: "chat.completion.chunk", created, model };
    const tail = { service_tier: "default", system_fingerprint: "fp_34a54ae93c" };
    return `data: ${JSON.stringify({ ...head, ...tail, choices, usage })}\n\n`;
  };
  const choice = (delta: object, finish: string | null) => [
    { index: 0, delta, logprobs: null, finish_reason: finish },
  ];
  const words = Array.from({ length: count - 4 }, (_, index) => ` word${index % 10}`);
  return [
    chunk(choice({ role: "assistant", content: "", refusal: null }, null), null),
    ...words.map((content) => chunk(choice({ content }, null), null)),
    chunk(choice({}, "stop"), null),
    chunk([], USAGE),
    "data: [DONE]\n\n",
  ];
}

function embeddings(encoding: "float" | "base64"): string {
  const data = Array.from({ length: VECTORS }, (_, index) => {
    // Numbers of as many digits as real ones have.
    const vector = Float32Array.from({ length: DIMENSIONS }, (__, at) =>
      Math.fround(Math.sin(index * DIMENSIONS + at) * 0.05),
    );
    const embedding =
      encoding === "float"
        ? Array.from(vector, (value) => Number(value.toFixed(10)))
        : Buffer.from(vector.buffer).toString("base64");
    return { object: "embedding", index, embedding };
  });
  const usage = { prompt_tokens: 1200, total_tokens: 1200 };
  return JSON.stringify({ object: "list", data, model: "text-embedding-3-small", usage });
}
