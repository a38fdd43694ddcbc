import { ProxyError } from "../domain/errors.ts";
import { PROVIDER_IDS, type ProviderId } from "../domain/provider.ts";
import { residency } from "../domain/residency.ts";
import { type FoundPrice, hostPercent, priceOrFallback } from "../providers/price_book.ts";
import type { Provider } from "../providers/provider.ts";
import { PROVIDERS } from "../providers/registry.ts";
import type { OrganizationRecord, ProviderConfigRecord } from "../store/directory.ts";
import type { Call } from "./call.ts";

/** The provider config and upstream model chosen for a call, and where the request goes. */
export interface Target {
  readonly provider: Provider;
  readonly config: ProviderConfigRecord;
  readonly upstreamModel: string;
  readonly url: string;
  /** What the host charges, in percent of the list price. */
  readonly pricePercent: number;
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
  return { provider, config, upstreamModel, url, pricePercent: hostPercent(new URL(url).hostname) };
}

/** Finds a target's price for the model that was served, or for the one asked for. */
export function priceOf(target: Target, servedModel: string | null, atMs: number): FoundPrice {
  const { provider, upstreamModel } = target;
  if (servedModel !== null) {
    const served = priceOrFallback(provider.id, servedModel, atMs);
    if (!served.fallback) return served;
  }
  return priceOrFallback(provider.id, upstreamModel, atMs);
}

/** Splits `provider/model` at its first slash. */
function readModel(call: Pick<Call, "operation" | "requestedModel">): {
  provider: Provider;
  upstreamModel: string;
} {
  const { requestedModel, operation } = call;
  const slash = requestedModel.indexOf("/");
  const id = requestedModel.slice(0, Math.max(0, slash));
  const upstreamModel = requestedModel.slice(slash + 1);
  if (!isProviderId(id) || upstreamModel === "") {
    throw invalidModel(
      `"${requestedModel}" does not begin with one of ${PREFIXES} and a model name`,
    );
  }
  const provider = PROVIDERS[id];
  if (!provider.operations.includes(operation)) throw invalidModel(`${id} has no ${operation}`);
  return { provider, upstreamModel };
}

const PREFIXES = PROVIDER_IDS.map((id) => `${id}/`).join(", ");

function isProviderId(id: string): id is ProviderId {
  return Object.hasOwn(PROVIDERS, id);
}

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
