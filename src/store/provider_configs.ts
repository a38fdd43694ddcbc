import type { ProviderId } from "../domain/provider.ts";
import { type Act, type AuditValue, changesOf, recordAuditEvent } from "./audit.ts";
import { sealedBy } from "./sealed_text.ts";
import type { Db, Flag, Row } from "./tables.ts";

/** Returns an organization's provider configs, by provider. */
export function listProviderConfigs(
  db: Db,
  organizationId: string,
): Promise<Row<"provider_configs">[]> {
  return db
    .selectFrom("provider_configs")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("provider")
    .execute();
}

/** Finds an organization's config of a provider. */
export function findProviderConfig(
  db: Db,
  organizationId: string,
  provider: ProviderId,
): Promise<Row<"provider_configs"> | undefined> {
  return db
    .selectFrom("provider_configs")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .where("provider", "=", provider)
    .executeTakeFirst();
}

/** What a provider config says. */
export interface ProviderConfigValues {
  readonly baseUrl: string | null;
  readonly euEndpoint: boolean;
  readonly enabled: boolean;
  /** The provider key, sealed for this row. */
  readonly sealedKey: string;
}

/** Creates the provider config with this id, or replaces what it says. */
export async function saveProviderConfig(
  db: Db,
  act: Act,
  row: { readonly id: string; readonly organizationId: string; readonly provider: ProviderId },
  values: ProviderConfigValues,
): Promise<Row<"provider_configs">> {
  const columns = {
    base_url: values.baseUrl,
    eu_endpoint: flag(values.euEndpoint),
    enabled: flag(values.enabled),
    sealed_key: values.sealedKey,
    master_key_id: sealedBy(values.sealedKey),
    updated_at_ms: act.nowMs,
  };
  const before = await db
    .selectFrom("provider_configs")
    .selectAll()
    .where("id", "=", row.id)
    .executeTakeFirst();
  const saved = await db
    .insertInto("provider_configs")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      provider: row.provider,
      created_at_ms: act.nowMs,
      ...columns,
    })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(columns))
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordAuditEvent(db, act, {
    organizationId: row.organizationId,
    action: before === undefined ? "provider_config.create" : "provider_config.replace",
    target: row.id,
    detail: {
      provider: row.provider,
      ...(before === undefined ? said(saved) : changesOf(said(before), said(saved))),
      provider_key_changed: before?.sealed_key !== values.sealedKey,
    },
  });
  return saved;
}

/** What of a provider config may be written down. Its key may not, and its base URL holds no password. */
function said(row: Row<"provider_configs">) {
  return {
    base_url: row.base_url,
    eu_endpoint: row.eu_endpoint === 1,
    enabled: row.enabled === 1,
  } satisfies Record<string, AuditValue>;
}

/** Deletes a provider config with its sealed key. Returns whether there was one. */
export async function deleteProviderConfig(
  db: Db,
  act: Act,
  organizationId: string,
  provider: ProviderId,
): Promise<boolean> {
  const deleted = await db
    .deleteFrom("provider_configs")
    .where("organization_id", "=", organizationId)
    .where("provider", "=", provider)
    .returningAll()
    .executeTakeFirst();
  if (deleted === undefined) return false;
  await recordAuditEvent(db, act, {
    organizationId,
    action: "provider_config.delete",
    target: deleted.id,
    detail: { provider, ...said(deleted) },
  });
  return true;
}

function flag(value: boolean): Flag {
  return value ? 1 : 0;
}
