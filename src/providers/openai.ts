import { openAiChatRequest } from "./openai_chat_request.ts";
import { bearer, openAiModelsUrl, openAiUrl, type Provider } from "./provider.ts";

/** OpenAI itself. Its regional hosts (`eu.api.openai.com` and others) are allowed as own base URLs. */
export const openai: Provider = {
  id: "openai",
  genAiName: "openai",
  wire: "openai",
  baseUrl: "https://api.openai.com/v1",
  hosts: ["api.openai.com", "*.api.openai.com"],
  euByDefault: false,
  operations: ["chat", "embeddings"],
  firstModel: "gpt-4o-mini",
  url: openAiUrl,
  modelsUrl: openAiModelsUrl,
  authorize: bearer,
  quirks: { asksForStreamUsage: true, chatRequest: openAiChatRequest },
};
