import { describe, expect, test } from "bun:test";
import { route } from "../../src/data_plane/route.ts";
import { ProxyError } from "../../src/domain/errors.ts";
import type { Operation, ProviderId } from "../../src/domain/provider.ts";
import type { OrganizationRecord, ProviderConfigRecord } from "../../src/store/directory.ts";

type Changes = Partial<Pick<ProviderConfigRecord, "baseUrl" | "euEndpoint" | "enabled">>;

function organization(
  providers: Partial<Record<ProviderId, Changes>>,
  settings: OrganizationRecord["settings"] = { euOnly: false },
): OrganizationRecord {
  const records = Object.entries(providers).map(([id, changes]) => {
    const provider = id as ProviderId;
    const record: ProviderConfigRecord = {
      id: `config-${id}`,
      provider,
      baseUrl: null,
      euEndpoint: false,
      enabled: true,
      sealedKey: "",
      organizationId: "organization",
      createdAtMs: 0,
      ...changes,
    };
    return [provider, record] as const;
  });
  return { id: "organization", settings, providers: new Map(records), prices: new Map() };
}

function targetOf(requestedModel: string, from: OrganizationRecord, operation: Operation = "chat") {
  return route({ operation, requestedModel }, from);
}

/** Returns the code of the refusal, or where the call would go. */
function outcome(requestedModel: string, from: OrganizationRecord): string {
  try {
    return targetOf(requestedModel, from).url;
  } catch (error) {
    if (error instanceof ProxyError) return error.code;
    throw error;
  }
}

describe("route()", () => {
  const AZURE = { baseUrl: "https://my-resource.openai.azure.com" };

  test.each([
    ["openai/gpt-5", {}, "https://api.openai.com/v1/chat/completions"],
    ["mistral/mistral-small-latest", {}, "https://api.mistral.ai/v1/chat/completions"],
    ["groq/llama", {}, "https://api.groq.com/openai/v1/chat/completions"],
    ["groq/openai/gpt-oss-20b", {}, "https://api.groq.com/openai/v1/chat/completions"],
    ["anthropic/claude", {}, "https://api.anthropic.com/v1/messages"],
    [
      "azure_openai/my-deployment",
      AZURE,
      "https://my-resource.openai.azure.com/openai/v1/chat/completions",
    ],
    [
      "openai/gpt-5",
      { baseUrl: "https://gw.example/v1" },
      "https://gw.example/v1/chat/completions",
    ],
  ] as const)("%s with %o goes to %s", (model, changes, url) => {
    const id = model.split("/")[0] as ProviderId;
    expect(outcome(model, organization({ [id]: changes }))).toBe(url);
  });

  test("the model is split at its first slash", () => {
    const target = targetOf("groq/openai/gpt-oss-20b", organization({ groq: {} }));
    expect(target.upstreamModel).toBe("openai/gpt-oss-20b");
  });

  test("embeddings have a URL of their own", () => {
    const target = targetOf("openai/x", organization({ openai: {} }), "embeddings");
    expect(target.url).toBe("https://api.openai.com/v1/embeddings");
  });

  const EU = { euOnly: true };
  const MISTRAL = "mistral/mistral-small-latest";

  test.each([
    ["mistral goes to its EU host", MISTRAL, {}, "https://api.eu.mistral.ai/v1/chat/completions"],
    ["openai has no route", "openai/gpt-5", {}, "eu_residency_unavailable"],
    ["anthropic has no route", "anthropic/claude", {}, "eu_residency_unavailable"],
    ["groq has no route", "groq/llama", {}, "eu_residency_unavailable"],
    [
      "an attestation says nothing about a default route",
      "openai/gpt-5",
      { euEndpoint: true },
      "eu_residency_unavailable",
    ],
    [
      "a host that looks European proves nothing",
      "openai/gpt-5",
      { baseUrl: "https://eu.api.openai.com/v1" },
      "eu_residency_unavailable",
    ],
    [
      "an attested host is reached",
      "openai/gpt-5",
      { baseUrl: "https://eu.api.openai.com/v1", euEndpoint: true },
      "https://eu.api.openai.com/v1/chat/completions",
    ],
    ["azure is not resident by itself", "azure_openai/d", AZURE, "eu_residency_unavailable"],
    [
      "azure is resident by attestation",
      "azure_openai/d",
      { ...AZURE, euEndpoint: true },
      "https://my-resource.openai.azure.com/openai/v1/chat/completions",
    ],
    [
      "mistral elsewhere is resident by attestation only",
      MISTRAL,
      { baseUrl: "https://api.mistral.ai/v1" },
      "eu_residency_unavailable",
    ],
  ] as const)("eu_only: %s", (_, model, changes, expected) => {
    const id = model.split("/")[0] as ProviderId;
    expect(outcome(model, organization({ [id]: changes }, EU))).toBe(expected);
  });

  test("mistral goes to its EU host if the provider config says so, and that host charges more", () => {
    const target = targetOf(MISTRAL, organization({ mistral: { euEndpoint: true } }));
    expect(target.url).toBe("https://api.eu.mistral.ai/v1/chat/completions");
    expect(target.pricePercent).toBe(110);
    expect(targetOf(MISTRAL, organization({ mistral: {} })).pricePercent).toBe(100);
  });

  test("settings come first, then the model, then the provider config, then residency", () => {
    expect(outcome("nothing", organization({}, null))).toBe("settings_not_configured");
    expect(outcome("nothing", organization({}, EU))).toBe("invalid_model");
    expect(outcome("openai/gpt-5", organization({}, EU))).toBe("provider_not_configured");
    const disabled = organization({ openai: { enabled: false } }, EU);
    expect(outcome("openai/gpt-5", disabled)).toBe("provider_not_configured");
    expect(outcome("openai/gpt-5", organization({ openai: {} }, EU))).toBe(
      "eu_residency_unavailable",
    );
  });
});
