import { ProxyError } from "../domain/errors.ts";
import { pricedModels } from "../providers/price_book.ts";
import { PROVIDERS } from "../providers/registry.ts";
import type { OrganizationRecord } from "../store/directory.ts";
import { authenticate } from "./authenticate.ts";
import type { Deps } from "./deps.ts";
import { route } from "./route.ts";

/** A model as OpenAI's list shows one. */
interface ModelView {
  readonly id: string;
  readonly object: "model";
  /** Unix seconds: when the organization configured the provider. */
  readonly created: number;
  readonly owned_by: string;
}

/**
 * Lists the models that this key can reach now: of the providers that its organization has configured and
 * enabled, and may use. Deployments that an operator named are not known here, and work all the same.
 */
export function listModels(request: Request, deps: Deps): string {
  const organization = callerOrganization(request, deps);
  const data = Object.values(PROVIDERS).flatMap((provider) =>
    isReachable(organization, `${provider.id}/any`)
      ? pricedModels(provider.id).map((model) => view(organization, `${provider.id}/${model}`))
      : [],
  );
  data.sort((a, b) => (a.id < b.id ? -1 : 1));
  return JSON.stringify({ object: "list", data });
}

/** Shows one model. A list of models lags behind its provider, so any model of a reachable provider is shown. */
export function showModel(request: Request, id: string, deps: Deps): string {
  const organization = callerOrganization(request, deps);
  route({ operation: "chat", requestedModel: id }, organization);
  return JSON.stringify(view(organization, id));
}

function callerOrganization(request: Request, deps: Deps): OrganizationRecord {
  const { key } = authenticate(request.headers, deps);
  return deps.directory.organization(key.organizationId);
}

function isReachable(organization: OrganizationRecord, requestedModel: string): boolean {
  try {
    route({ operation: "chat", requestedModel }, organization);
    return true;
  } catch (error) {
    if (error instanceof ProxyError) return false;
    throw error;
  }
}

function view(organization: OrganizationRecord, id: string): ModelView {
  const owner = id.slice(0, id.indexOf("/"));
  const config = [...organization.providers.values()].find(({ provider }) => provider === owner);
  const created = Math.floor((config?.createdAtMs ?? 0) / 1000);
  return { id, object: "model", created, owned_by: owner };
}
