import { mistralCompletion } from "./mistral_answer.ts";
import { mistralChatRequest } from "./mistral_chat_request.ts";
import { mistralChunks } from "./mistral_chunks.ts";
import { mistralEmbeddings, mistralEmbeddingsRequest } from "./mistral_embeddings.ts";
import { bearer, openAiModelsUrl, openAiUrl, type Provider } from "./provider.ts";

/** Mistral: OpenAI's paths, but a closed list of fields and some shapes of its own. */
export const mistral: Provider = {
  id: "mistral",
  genAiName: "mistral_ai",
  wire: "openai",
  baseUrl: "https://api.mistral.ai/v1",
  euBaseUrl: "https://api.eu.mistral.ai/v1",
  hosts: ["api.mistral.ai", "api.eu.mistral.ai"],
  euByDefault: true,
  operations: ["chat", "embeddings"],
  firstModel: "mistral-small-latest",
  url: openAiUrl,
  modelsUrl: openAiModelsUrl,
  authorize: bearer,
  quirks: {
    asksForStreamUsage: false,
    chatRequest: mistralChatRequest,
    embeddingsRequest: mistralEmbeddingsRequest,
    completion: mistralCompletion,
    chunks: mistralChunks,
    embeddings: mistralEmbeddings,
  },
};
