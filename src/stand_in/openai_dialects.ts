import type { JsonObject } from "../std/json.ts";
import { checkGroqChat } from "./groq_check.ts";
import { checkMistralChat } from "./mistral_check.ts";
import { checkOpenAiChat } from "./openai_check.ts";
import type { ChatRequest } from "./openai_request.ts";
import { openAiRefusal, mistralRefusal, type Refusal } from "./refusal.ts";
import type { Reply } from "./reply.ts";

/** How one provider speaks the OpenAI wire. */
export interface Dialect {
  /** Refuses what this provider refuses, or returns the request typed. */
  check(body: JsonObject): { request: ChatRequest } | { refusal: Refusal };
  /** An error with a status of one's choice, in the provider's shape. */
  refuse(status: number, message: string): Refusal;
  /** Whether the key may also come as `api-key`. */
  readonly apiKeyHeader: boolean;
  /** The model that the answer names. */
  servedModel(model: string): string;
  usage(reply: Reply, choices: number): JsonObject;
  /** Whether usage comes in a last chunk of its own when asked for. */
  readonly usageChunk: boolean;
  /** Whether a tool call arrives whole, in one delta. */
  readonly wholeToolCalls: boolean;
  /** How the calls of one answer are numbered. */
  toolCallId(index: number): string;
  /** Where thoughts stand in a delta; null if they are kept. */
  readonly thoughtField: string | null;
  /** Chunks before the first of the answer. */
  readonly preface: readonly JsonObject[];
  readonly firstDeltaExtras: JsonObject;
  readonly firstChunkExtras: JsonObject;
  finishChunkExtras(usage: JsonObject): JsonObject;
  messageExtras(reply: Reply): JsonObject;
  readonly choiceExtras: JsonObject;
  readonly answerExtras: JsonObject;
}

const OPENAI: Dialect = {
  check: checkOpenAiChat,
  refuse: (status, message) =>
    openAiRefusal(status, message, {
      type: status === 429 ? "requests" : status < 500 ? "invalid_request_error" : "server_error",
      code: OPENAI_CODES[status] ?? null,
    }),
  apiKeyHeader: false,
  servedModel: (model) => model,
  usage: (reply, choices) => ({
    prompt_tokens: reply.inputTokens,
    completion_tokens: reply.outputTokens * choices,
    total_tokens: reply.inputTokens + reply.outputTokens * choices,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reply.thoughts.length * choices,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }),
  usageChunk: true,
  wholeToolCalls: false,
  toolCallId: (index) => `call_standin_${index}`,
  thoughtField: null,
  preface: [],
  firstDeltaExtras: { refusal: null },
  firstChunkExtras: {},
  finishChunkExtras: () => ({}),
  messageExtras: () => ({ refusal: null, annotations: [] }),
  choiceExtras: { logprobs: null },
  answerExtras: { service_tier: "default", system_fingerprint: "fp_standin" },
};

const AZURE: Dialect = {
  ...OPENAI,
  refuse: (status, message) =>
    openAiRefusal(status, message, { code: status === 429 ? "RateLimitReached" : `${status}` }),
  apiKeyHeader: true,
  // A deployment's name says nothing about the model behind it; the answer does.
  servedModel: () => "gpt-4o-2024-11-20",
  preface: [
    {
      // What Azure's filter made of the prompt comes first, in a chunk that carries no choice.
      choices: [],
      created: 0,
      id: "",
      model: "",
      object: "",
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
    },
  ],
};

const MISTRAL: Dialect = {
  ...OPENAI,
  check: checkMistralChat,
  refuse: (status, message) => mistralRefusal(status, message, "service_error", `${status}0`),
  usage: (reply, choices) => ({
    prompt_tokens: reply.inputTokens,
    completion_tokens: reply.outputTokens * choices,
    total_tokens: reply.inputTokens + reply.outputTokens * choices,
  }),
  usageChunk: false,
  wholeToolCalls: true,
  // Nine letters or digits, or Mistral would not take them back.
  toolCallId: (index) => `standin${String(index).padStart(2, "0")}`,
  firstDeltaExtras: {},
  finishChunkExtras: (usage) => ({ usage }),
  messageExtras: (reply) => (reply.toolCalls.length > 0 ? { content: "" } : {}),
  choiceExtras: {},
  answerExtras: {},
};

const GROQ: Dialect = {
  ...OPENAI,
  check: checkGroqChat,
  usage: (reply, choices) => ({
    queue_time: 0.01,
    prompt_tokens: reply.inputTokens,
    prompt_time: 0.01,
    completion_tokens: reply.outputTokens * choices,
    completion_time: 0.02,
    total_tokens: reply.inputTokens + reply.outputTokens * choices,
    total_time: 0.03,
  }),
  thoughtField: "reasoning",
  firstDeltaExtras: {},
  firstChunkExtras: { x_groq: { id: "req_standin" } },
  finishChunkExtras: (usage) => ({ x_groq: { id: "req_standin", usage } }),
  messageExtras: (reply) =>
    reply.thoughts.length > 0 ? { reasoning: reply.thoughts.join("") } : {},
  answerExtras: { service_tier: "on_demand", x_groq: { id: "req_standin" } },
};

const OPENAI_CODES: Readonly<Record<number, string>> = {
  401: "invalid_api_key",
  404: "model_not_found",
  429: "rate_limit_exceeded",
};

/** Every way in which the OpenAI wire is spoken here, by the name of its provider. */
export const DIALECTS = { openai: OPENAI, azure: AZURE, mistral: MISTRAL, groq: GROQ } as const;
