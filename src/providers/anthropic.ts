import type { Provider } from "./provider.ts";

/** Anthropic's Messages API, which has no embeddings. */
export const anthropic: Provider = {
  id: "anthropic",
  genAiName: "anthropic",
  wire: "anthropic",
  baseUrl: "https://api.anthropic.com",
  hosts: ["api.anthropic.com"],
  euByDefault: false,
  operations: ["chat"],
  firstModel: "claude-haiku-4-5",
  url: (baseUrl) => `${baseUrl}/v1/messages`,
  // The most that one page holds.
  modelsUrl: (baseUrl) => `${baseUrl}/v1/models?limit=1000`,
  authorize: (providerKey) => ({ "x-api-key": providerKey }),
  // A later version refuses sampling parameters for every model, so it is pinned.
  headers: { "anthropic-version": "2023-06-01" },
};
