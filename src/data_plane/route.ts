import { ProxyError } from "../domain/errors.ts";
import { parseModelName, PROVIDER_IDS, type ProviderId } from "../domain/provider.ts";
import { residency } from "../domain/residency.ts";
import { hostPercent } from "../providers/price_book.ts";
import type { Provider } from "../providers/provider.ts";
import { PROVIDERS } from "../providers/registry.ts";
import type { ModelPrices, OrganizationRecord, ProviderConfigRecord } from "../store/directory.ts";
import type { Call } from "./call.ts";

/** The provider config and upstream model chosen for a call, and where the request goes. */
export interface Target {
  readonly provider: Provider;
  readonly config: ProviderConfigRecord;
  readonly upstreamModel: string;
  readonly euResident: boolean;
  readonly baseUrl: string;
  /** Where the request goes: below the base URL. */
  readonly url: string;
  /** What the host charges, in percent of the list price. */
  readonly pricePercent: number;
  /** The organization's own prices. */
  readonly prices: ModelPrices;
}

/**
 * Chooses the target of a call. A pure choice: nothing is read but what is given.
 *
 * @throws {ProxyError} In this order: no settings, unknown provider or operation, provider not configured,
 *   no EU-resident route.
 */
export function route(
  call: Pick<Call, "operation" | "requestedModel">,
  organization: OrganizationRecord,
): Target {
  const { settings } = organization;
  if (settings === null) {
    throw new ProxyError(
      "settings_not_configured",
      "Cannot route call: the organization has no settings; set monthly_cost_limit_cents first",
    );
  }
  const { provider, upstreamModel } = readModel(call);
  const config = organization.providers.get(provider.id);
  if (config === undefined || !config.enabled) {
    const state = config === undefined ? "not configured" : "disabled";
    throw new ProxyError(
      "provider_not_configured",
      `Cannot route call: provider "${provider.id}" is ${state} for this organization`,
      { param: "model" },
    );
  }
  const { baseUrl, euResident } = residency(provider, config, settings.euOnly);
  if (baseUrl === null || (settings.euOnly && !euResident)) throw notResident(provider.id);
  const url = provider.url(baseUrl, call.operation, upstreamModel);
  const pricePercent = hostPercent(baseUrl);
  const { prices } = organization;
  return { provider, config, upstreamModel, euResident, baseUrl, url, pricePercent, prices };
}

/** Finds the provider that a model's name begins with. */
function readModel({ requestedModel, operation }: Pick<Call, "operation" | "requestedModel">): {
  provider: Provider;
  upstreamModel: string;
} {
  const name = parseModelName(requestedModel);
  if (name === null) {
    throw invalidModel(
      `"${requestedModel}" does not begin with one of ${PREFIXES} and a model name`,
    );
  }
  const provider = PROVIDERS[name.provider];
  if (!provider.operations.includes(operation))
    throw invalidModel(`${provider.id} has no ${operation}`);
  return { provider, upstreamModel: name.model };
}

const PREFIXES = PROVIDER_IDS.map((id) => `${id}/`).join(", ");

function invalidModel(what: string): ProxyError {
  return new ProxyError("invalid_model", `Cannot route model: ${what}`, { param: "model" });
}

function notResident(provider: ProviderId): ProxyError {
  return new ProxyError(
    "eu_residency_unavailable",
    `Cannot route call: the organization allows EU-resident routes only, and provider "${provider}" has none`,
    { param: "model", headers: { "x-should-retry": "false" } },
  );
}
