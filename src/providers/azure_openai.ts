import { azureOpenAiChunks } from "./azure_openai_chunks.ts";
import { azureOpenAiModelsUrl, azureOpenAiUrl } from "./azure_openai_url.ts";
import { OPENAI_TIER_PERCENTS } from "./openai.ts";
import { openAiChatRequest } from "./openai_chat_request.ts";
import type { Provider } from "./provider.ts";

/** Azure OpenAI: one resource per organization, and the model is the name of a deployment in it. */
export const azureOpenAi: Provider = {
  id: "azure_openai",
  genAiName: "azure.ai.openai",
  wire: "openai",
  baseUrl: null,
  allowsApiVersion: true,
  hosts: [
    "*.openai.azure.com",
    "*.services.ai.azure.com",
    "*.cognitiveservices.azure.com",
    "*.api.cognitive.microsoft.com",
  ],
  euByDefault: false,
  operations: ["chat", "embeddings"],
  tierPercents: OPENAI_TIER_PERCENTS,
  firstModel: null,
  url: azureOpenAiUrl,
  modelsUrl: azureOpenAiModelsUrl,
  authorize: (providerKey) => ({ "api-key": providerKey }),
  quirks: {
    asksForStreamUsage: true,
    chatRequest: openAiChatRequest,
    chunks: azureOpenAiChunks,
  },
};
