import * as v from "valibot";
import { BaseUrlError, parseBaseUrl } from "../domain/base_url.ts";
import { PROVIDER_IDS, type ProviderId } from "../domain/provider.ts";
import { residency } from "../domain/residency.ts";
import { PROVIDERS } from "../providers/registry.ts";
import type { Provider } from "../providers/provider.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { uuid7 } from "../std/uuid7.ts";
import {
  deleteProviderConfig,
  findProviderConfig,
  listProviderConfigs,
  saveProviderConfig,
} from "../store/provider_configs.ts";
import { findSettings } from "../store/settings.ts";
import type { Db, Row } from "../store/tables.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { flag, text } from "./fields.ts";
import { emptyResponse, jsonResponse } from "./json_response.ts";
import type { ProviderConfig } from "./openapi/provider_configs.ts";
import { readBody } from "./read_body.ts";

/** What a provider config says. Where absence means the default, null means the same. */
export const PutBody = v.strictObject({
  provider: text(),
  api_key: v.nullish(
    v.pipe(
      text(),
      v.regex(/^[\x21-\x7e]{0,4096}$/, "expected up to 4096 visible ASCII characters"),
    ),
    "",
  ),
  base_url: v.nullish(text(), null),
  eu_endpoint: v.nullish(flag(), false),
  enabled: v.nullish(flag(), true),
});

/** Answers with the organization's provider configs. */
export async function list(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const configs = await listProviderConfigs(deps.db, call.organization.id);
  const euOnly = await isEuOnly(deps.db, call.organization.id);
  return jsonResponse(200, { providers: configs.map((config) => view(config, euOnly)) });
}

/** Creates a provider config, or replaces what it says. */
export async function put(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const body = await readBody(call.request, PutBody);
  const provider = requireProvider(body.provider);
  const baseUrl = judgeBaseUrl(provider, body.base_url, deps.allowedUpstreams);
  if (body.eu_endpoint && !provider.euByDefault && baseUrl === null) {
    throw new ManagementError(
      "base_url_required",
      `Cannot attest an EU endpoint: the default route of ${provider.id} is not EU-resident, so base_url must say which one is`,
    );
  }
  const organizationId = call.organization.id;
  const before = await findProviderConfig(deps.db, organizationId, provider.id);
  requireKey(before, baseUrl, body.api_key);
  const row = {
    id: before?.id ?? uuid7(call.act.nowMs),
    organizationId,
    provider: provider.id,
  };
  const owner = { organizationId, provider: provider.id, configId: row.id };
  // Sealed before the transaction: nothing but queries may be awaited inside.
  const newlySealed =
    body.api_key === "" ? null : await deps.vault.sealProviderKey(body.api_key, owner);
  const saved = await deps.db.transaction().execute(async (tx) => {
    const now = await findProviderConfig(tx, organizationId, provider.id);
    const sealedKey = newlySealed ?? now?.sealed_key;
    // What was decided above holds for the row that was read there, and for no other.
    if (now?.id !== before?.id || now?.base_url !== before?.base_url || sealedKey === undefined)
      throw changedMeanwhile();
    // A master key may have been replaced since: what nothing opens any more is not stored.
    if (!deps.vault.knows(sealedKey))
      throw newlySealed === null ? keyRequired(UNREADABLE) : changedMeanwhile();
    const { eu_endpoint: euEndpoint, enabled } = body;
    return saveProviderConfig(tx, call.act, row, { baseUrl, euEndpoint, enabled, sealedKey });
  });
  deps.live.organizationChanged(organizationId);
  if (before !== undefined && newlySealed !== null) await deps.erasure.erase();
  return jsonResponse(200, view(saved, await isEuOnly(deps.db, organizationId)));
}

/** Deletes a provider config, with its sealed key, from the database and its log. */
export async function remove(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const provider = findProvider(call.params["provider"] ?? "");
  const deleted =
    provider !== undefined &&
    (await deps.db
      .transaction()
      .execute((tx) => deleteProviderConfig(tx, call.act, call.organization.id, provider.id)));
  if (!deleted) {
    throw new ManagementError(
      "provider_config_not_found",
      "Cannot delete provider config: this provider is not configured",
    );
  }
  deps.live.organizationChanged(call.organization.id);
  await deps.erasure.erase();
  return emptyResponse();
}

function judgeBaseUrl(
  provider: Provider,
  given: string | null,
  allowedUpstreams: ReadonlySet<string>,
): string | null {
  if (given === null) {
    if (provider.baseUrl !== null) return null;
    throw new ManagementError(
      "base_url_required",
      `Cannot configure ${provider.id}: base_url is required, each organization has its own`,
    );
  }
  try {
    return parseBaseUrl(given, {
      hosts: provider.hosts,
      allowedUpstreams,
      allowsApiVersion: provider.allowsApiVersion ?? false,
    });
  } catch (error) {
    if (error instanceof BaseUrlError) throw new ManagementError("base_url_refused", error.message);
    throw error;
  }
}

/** A stored provider key is never pointed at another host: whoever changes where it goes must know it. */
function requireKey(
  before: Row<"provider_configs"> | undefined,
  baseUrl: string | null,
  apiKey: string,
): void {
  if (apiKey !== "" || (before !== undefined && before.base_url === baseUrl)) return;
  throw keyRequired(
    before === undefined
      ? "Cannot configure provider: api_key is required the first time"
      : "Cannot change base_url: api_key must be given again, a stored one is not sent elsewhere",
  );
}

const UNREADABLE =
  "Cannot configure provider: api_key must be given again, the stored one was discarded or is unreadable";

function keyRequired(message: string): ManagementError {
  return new ManagementError("api_key_required", message);
}

function requireProvider(id: string): Provider {
  const provider = findProvider(id);
  if (provider !== undefined) return provider;
  throw new ManagementError(
    "unknown_provider",
    `Cannot configure provider: expected one of ${PROVIDER_IDS.join(", ")}`,
  );
}

function findProvider(id: string): Provider | undefined {
  const known: ProviderId | undefined = PROVIDER_IDS.find((one) => one === id);
  return known === undefined ? undefined : PROVIDERS[known];
}

async function isEuOnly(db: Db, organizationId: string): Promise<boolean> {
  return (await findSettings(db, organizationId))?.eu_only === 1;
}

function view(
  config: Row<"provider_configs">,
  euOnly: boolean,
): v.InferOutput<typeof ProviderConfig> {
  const choice = { baseUrl: config.base_url, euEndpoint: config.eu_endpoint === 1 };
  return {
    id: config.id,
    provider: config.provider,
    ...(config.base_url === null ? {} : { base_url: config.base_url }),
    eu_endpoint: choice.euEndpoint,
    enabled: config.enabled === 1,
    has_api_key: config.sealed_key !== "",
    eu_resident: residency(PROVIDERS[config.provider], choice, euOnly).euResident,
    created_at: formatRfc3339(config.created_at_ms),
    updated_at: formatRfc3339(config.updated_at_ms),
  };
}

function changedMeanwhile(): ManagementError {
  return new ManagementError(
    "changed_meanwhile",
    "Cannot save provider config: somebody else changed it just now",
  );
}
