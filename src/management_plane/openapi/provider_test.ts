import * as v from "valibot";
import { answer, type RouteDescription } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { count, EXAMPLE_PROVIDER, label, provider, yes } from "./shapes.ts";

/** What came of asking a provider for its models. */
export const ProviderTest = v.strictObject({
  ok: yes("Whether it answered with a list: it can be reached and takes the key"),
  provider: provider("Which provider was asked"),
  host: label("The host that was asked, with its port if that is not the usual one"),
  address: v.optional(label("Where that host is; absent if it was not found")),
  status: v.nullable(count("The HTTP status of its answer; null if there was none")),
  duration_ms: count("How long it took"),
  models: v.nullable(count("How many models the key may use; null if that is not known")),
  eu_resident: yes("Whether calls of an organization that is `eu_only` may go there"),
  message: label("What came of it, for people"),
});

/** The test of a provider config. */
export const providerTest: RouteDescription<ManagementErrorCode> = {
  id: "testProviderConfig",
  summary: "Test a provider config",
  about:
    "Asks the provider for its models, with the stored key, which costs nothing. It is asked where calls would go, whether the config is enabled or not. At most 10 s.",
  answers: {
    200: answer("What came of it: a provider that refuses is an answer too", ProviderTest, {
      ok: true,
      provider: EXAMPLE_PROVIDER,
      host: "api.example.com",
      address: "192.0.2.1",
      status: 200,
      duration_ms: 213,
      models: 84,
      eu_resident: false,
      message: "It takes the key and lists 84 models",
    }),
  },
  errors: ["provider_config_not_found", "test_under_way"],
};
