import * as v from "valibot";
import { PROVIDER_IDS } from "../../domain/provider.ts";
import { answer, body, noBody, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { PutBody } from "../provider_configs.ts";
import { ProviderTest, providerTest } from "./provider_test.ts";
import { EXAMPLE_PROVIDER, id, label, provider, time, yes } from "./shapes.ts";

/** A provider config, without the key that it seals. */
export const ProviderConfig = v.strictObject({
  id: id("Of this config"),
  provider: provider("Which provider it is for"),
  base_url: v.optional(
    label("Where calls go instead of the provider's default; absent if they do not"),
  ),
  eu_endpoint: yes("Whether it was attested that the base URL is in the EU"),
  enabled: yes("Whether calls may go there"),
  has_api_key: yes("Whether a provider key is sealed; it never comes back out"),
  eu_resident: yes("Whether calls of an organization that is `eu_only` may go there"),
  created_at: time("When the provider was configured first"),
  updated_at: time("When the config was changed last"),
});

const EXAMPLE: v.InferInput<typeof ProviderConfig> = {
  id: "019ecb27-2200-7440-b544-0b9e5d7713fe",
  provider: EXAMPLE_PROVIDER,
  eu_endpoint: false,
  enabled: true,
  has_api_key: true,
  eu_resident: false,
  created_at: "2026-06-01T09:30:00Z",
  updated_at: "2026-06-01T09:30:00Z",
};

const PROVIDERS = "/organizations/{orgId}/inference/providers";

export const providerConfigs: RouteGroup<ManagementErrorCode> = {
  name: "Provider configs",
  about:
    "Which providers an organization's calls may reach, and with which provider key. The key is sealed at rest and can be replaced, never read.",
  schemas: { ProviderConfig, ProviderTest },
  routes: {
    [`GET ${PROVIDERS}`]: {
      id: "listProviderConfigs",
      summary: "List provider configs",
      answers: {
        200: answer(
          "The provider configs",
          v.strictObject({ providers: v.array(ProviderConfig) }),
          { providers: [EXAMPLE] },
        ),
      },
      errors: [],
    },
    [`PUT ${PROVIDERS}`]: {
      id: "putProviderConfig",
      summary: "Configure a provider",
      about:
        "Creates the provider config or replaces all that it says. A stored provider key is never sent to another host: whoever changes `base_url` gives the key again.",
      body: body(
        PutBody,
        {
          provider: "Which provider",
          api_key:
            "The provider key. Required the first time; empty or absent keeps the stored one",
          base_url:
            "Where calls go instead of the provider's default, in the same shape. Https, to a host of the provider or one that the operator allows. Required for `azure_openai`",
          eu_endpoint: "Attests that the base URL is in the EU",
          enabled: "Whether calls may go there",
        },
        { provider: EXAMPLE_PROVIDER, api_key: "sk-..." },
        { provider: v.picklist(PROVIDER_IDS) },
      ),
      answers: { 200: answer("The provider config", ProviderConfig, EXAMPLE) },
      errors: [
        "unknown_provider",
        "api_key_required",
        "base_url_required",
        "base_url_refused",
        "changed_meanwhile",
      ],
    },
    [`DELETE ${PROVIDERS}/{provider}`]: {
      id: "deleteProviderConfig",
      summary: "Delete a provider config",
      about: "The sealed provider key goes with it, from the database and its log.",
      answers: { 204: noBody("It is gone") },
      errors: ["provider_config_not_found"],
    },
    [`POST ${PROVIDERS}/{provider}/test`]: providerTest,
  },
};
