import { groqChunk, groqCompletion } from "./groq_answer.ts";
import { groqChatRequest } from "./groq_chat_request.ts";
import { bearer, openAiModelsUrl, openAiUrl, type Provider } from "./provider.ts";

/** Groq: OpenAI's wire below `/openai/v1`, with some fields that it refuses. */
export const groq: Provider = {
  id: "groq",
  genAiName: "groq",
  wire: "openai",
  baseUrl: "https://api.groq.com/openai/v1",
  hosts: ["api.groq.com"],
  euByDefault: false,
  operations: ["chat", "embeddings"],
  firstModel: "llama-3.1-8b-instant",
  url: openAiUrl,
  modelsUrl: openAiModelsUrl,
  authorize: bearer,
  quirks: {
    asksForStreamUsage: true,
    chatRequest: groqChatRequest,
    completion: groqCompletion,
    chunks: () => groqChunk,
  },
};
