import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PROVIDER_IDS } from "../../src/domain/provider.ts";
import { pricedModels } from "../../src/providers/price_book.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";

const STORIES = join(import.meta.dir, "../wire/testdata");
const HOST = /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

test("every provider that a model name may start with is registered under its id", () => {
  expect(Object.keys(PROVIDERS).toSorted()).toEqual([...PROVIDER_IDS].toSorted());
  for (const id of PROVIDER_IDS) expect(PROVIDERS[id].id).toBe(id);
});

describe.each(Object.values(PROVIDERS))("$id", (provider) => {
  test("has base URLs of https without a trailing slash, on hosts it allows", () => {
    for (const baseUrl of [provider.baseUrl, provider.euBaseUrl ?? null]) {
      if (baseUrl === null) continue;
      expect(baseUrl).toStartWith("https://");
      expect(baseUrl).not.toEndWith("/");
      expect(provider.hosts).toContain(new URL(baseUrl).host);
    }
  });

  test("allows exact hosts and suffixes only", () => {
    expect(provider.hosts.length).toBeGreaterThan(0);
    for (const host of provider.hosts) expect(host).toMatch(HOST);
  });

  test("serves its operations at valid URLs below the base URL", () => {
    const baseUrl = provider.baseUrl ?? "https://my-resource.openai.azure.com";
    expect(provider.operations).toContain("chat");
    for (const operation of provider.operations) {
      const url = provider.url(baseUrl, operation, "some-model");
      expect(url).toStartWith(`${baseUrl}/`);
      expect(new URL(url).href).toBe(url);
    }
  });

  test("has a small model for a first call whose price is known", () => {
    const { firstModel } = provider;
    if (firstModel !== null) expect(pricedModels(provider.id)).toContain(firstModel);
    expect(firstModel === null).toBe(provider.baseUrl === null);
  });

  test("lists its models at a valid URL below the base URL", () => {
    const baseUrl = provider.baseUrl ?? "https://my-resource.openai.azure.com";
    const url = provider.modelsUrl(baseUrl);
    expect(url).toStartWith(`${baseUrl}/`);
    expect(new URL(url).pathname).toEndWith("/models");
    expect(new URL(url).href).toBe(url);
  });

  test("is called as OpenTelemetry calls it", () => {
    const others: Partial<Record<string, string>> = {
      mistral: "mistral_ai",
      azure_openai: "azure.ai.openai",
    };
    expect(provider.genAiName).toBe(others[provider.id] ?? provider.id);
  });

  test("presents the provider key in exactly one header", () => {
    const headers = Object.entries(provider.authorize("key-1"));
    expect(headers).toHaveLength(1);
    const [name, value] = headers[0] ?? [];
    expect(["authorization", "x-api-key", "api-key"]).toContain(name ?? "");
    expect(["key-1", "Bearer key-1"]).toContain(value ?? "");
  });

  test("has quirks on the OpenAI wire only", () => {
    if (provider.wire !== "openai") expect(provider.quirks).toBeUndefined();
  });

  test("has a story", () => {
    const stories = readdirSync(join(STORIES, provider.id)).filter((name) =>
      name.endsWith(".txtar"),
    );
    expect(stories.length).toBeGreaterThan(0);
  });
});

test("only Mistral counts as resident in the EU by default, and has a host there", () => {
  const resident = Object.values(PROVIDERS).filter((provider) => provider.euByDefault);
  expect(resident.map((provider) => provider.id)).toEqual(["mistral"]);
  expect(PROVIDERS.mistral.euBaseUrl).toBe("https://api.eu.mistral.ai/v1");
});
