import { openAiChatRequest } from "./openai_chat_request.ts";
import { bearer, openAiModelsUrl, openAiUrl, type Provider } from "./provider.ts";

/** Priority processing costs 1.7 to 2 times as much, by model; "fast" is another word for it. */
export const OPENAI_TIER_PERCENTS: ReadonlyMap<string, number> = new Map([
  ["priority", 200],
  ["fast", 200],
]);

/** OpenAI itself. Its regional hosts (`eu.api.openai.com` and others) are allowed as own base URLs. */
export const openai: Provider = {
  id: "openai",
  genAiName: "openai",
  wire: "openai",
  baseUrl: "https://api.openai.com/v1",
  hosts: ["api.openai.com", "*.api.openai.com"],
  euByDefault: false,
  operations: ["chat", "embeddings"],
  tierPercents: OPENAI_TIER_PERCENTS,
  firstModel: "gpt-4o-mini",
  url: openAiUrl,
  modelsUrl: openAiModelsUrl,
  authorize: bearer,
  quirks: { asksForStreamUsage: true, chatRequest: openAiChatRequest },
};
