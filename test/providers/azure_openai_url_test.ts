import { describe, expect, test } from "bun:test";
import { ProxyError } from "../../src/domain/errors.ts";
import { azureOpenAiModelsUrl, azureOpenAiUrl } from "../../src/providers/azure_openai_url.ts";

const RESOURCE = "https://my-resource.openai.azure.com";
const FOUNDRY = "https://my-resource.services.ai.azure.com/api/projects/p1";

const URLS: readonly (readonly [base: string, chat: string])[] = [
  [RESOURCE, `${RESOURCE}/openai/v1/chat/completions`],
  [`${RESOURCE}/`, `${RESOURCE}/openai/v1/chat/completions`],
  [`${RESOURCE}/openai`, `${RESOURCE}/openai/v1/chat/completions`],
  [`${RESOURCE}/openai/v1`, `${RESOURCE}/openai/v1/chat/completions`],
  [`${RESOURCE}/openai/v1/`, `${RESOURCE}/openai/v1/chat/completions`],
  [`${FOUNDRY}/openai/v1`, `${FOUNDRY}/openai/v1/chat/completions`],
  ["http://127.0.0.1:9000", "http://127.0.0.1:9000/openai/v1/chat/completions"],
  [
    `${RESOURCE}/openai/v1?api-version=preview`,
    `${RESOURCE}/openai/v1/chat/completions?api-version=preview`,
  ],
  [`${RESOURCE}?api-version=v1`, `${RESOURCE}/openai/v1/chat/completions?api-version=v1`],
  [
    `${RESOURCE}?api-version=2024-10-21`,
    `${RESOURCE}/openai/deployments/gpt-4o.eu_1/chat/completions?api-version=2024-10-21`,
  ],
  [
    `${RESOURCE}/openai/?api-version=2025-04-01-preview`,
    `${RESOURCE}/openai/deployments/gpt-4o.eu_1/chat/completions?api-version=2025-04-01-preview`,
  ],
  [
    `${RESOURCE}/openai/v1?api-version=2024-10-21`,
    `${RESOURCE}/openai/deployments/gpt-4o.eu_1/chat/completions?api-version=2024-10-21`,
  ],
  [
    `${RESOURCE}?api-version=2024-10-21%26x=y`,
    `${RESOURCE}/openai/v1/chat/completions?api-version=2024-10-21%26x%3Dy`,
  ],
  [`${RESOURCE}?other=1`, `${RESOURCE}/openai/v1/chat/completions`],
];

describe("azureOpenAiUrl()", () => {
  test.each(URLS)("makes of %s the URL %s", (base, chat) => {
    expect(azureOpenAiUrl(base, "chat", "gpt-4o.eu_1")).toBe(chat);
    expect(azureOpenAiUrl(base, "embeddings", "gpt-4o.eu_1")).toBe(
      chat.replace("/chat/completions", "/embeddings"),
    );
  });

  test.each([
    "",
    ".",
    "..",
    "a/b",
    "../v1",
    "%2e%2e",
    "a b",
    "a?b",
    "a#b",
    "d\u00e9ploiement",
    "a\n",
    "x".repeat(129),
  ])("refuses the deployment %j", (deployment) => {
    for (const base of [RESOURCE, `${RESOURCE}?api-version=2024-10-21`]) {
      let thrown: unknown;
      try {
        azureOpenAiUrl(base, "chat", deployment);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(ProxyError);
      expect(thrown).toMatchObject({ code: "invalid_model", param: "model" });
    }
  });
});

test.each(URLS)("models of %s are listed beside its calls, without a deployment", (base, chat) => {
  const models = chat
    .replace("/deployments/gpt-4o.eu_1", "")
    .replace("/chat/completions", "/models");
  expect(azureOpenAiModelsUrl(base)).toBe(models);
});
