import type * as v from "valibot";
import { PROVIDER_IDS } from "../domain/provider.ts";
import type { ProviderTrial } from "../domain/provider_trial.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { jsonResponse } from "./json_response.ts";
import type { ProviderTest } from "./openapi/provider_test.ts";

/**
 * Asks a configured provider for its models, which costs nothing, and answers with what came of it. Whether the
 * provider could be reached is an answer too, and no error.
 */
export async function run(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const provider = PROVIDER_IDS.find((id) => id === call.params["provider"]);
  const trial =
    provider === undefined
      ? "not_configured"
      : await deps.tryProvider(call.organization.id, provider);
  if (provider === undefined || trial === "not_configured") {
    throw new ManagementError(
      "provider_config_not_found",
      "Cannot test provider: this provider is not configured",
    );
  }
  if (trial === "under_way") {
    throw new ManagementError(
      "test_under_way",
      "Cannot test provider: a test of it is under way, and takes 10 s at most",
    );
  }
  return jsonResponse(200, { ...view(trial), provider });
}

function view(trial: ProviderTrial): Omit<v.InferOutput<typeof ProviderTest>, "provider"> {
  const { ok, host, address, status, durationMs, models, euResident, message } = trial;
  return {
    ok,
    host,
    ...(address === null ? {} : { address }),
    status,
    duration_ms: durationMs,
    models,
    eu_resident: euResident,
    message,
  };
}
