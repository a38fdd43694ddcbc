import type { Month } from "../domain/month.ts";
import { type Act, type AuditValue, changesOf, recordAuditEvent } from "./audit.ts";
import type { Db, Row } from "./tables.ts";

/** Returns an organization's settings; undefined until they are first saved. */
export function findSettings(
  db: Db,
  organizationId: string,
): Promise<Row<"org_settings"> | undefined> {
  return db
    .selectFrom("org_settings")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
}

export interface SettingsValues {
  readonly euOnly: boolean;
  readonly monthlyCostLimitCents: number;
  /** Null closes the cost circuit. */
  readonly circuitOpenedAtMs: number | null;
}

/** Saves an organization's settings. What changed is written down: all of it, the first time. */
export async function saveSettings(
  db: Db,
  act: Act,
  organizationId: string,
  values: SettingsValues,
): Promise<Row<"org_settings">> {
  const columns = {
    eu_only: values.euOnly ? (1 as const) : (0 as const),
    monthly_cost_limit_cents: values.monthlyCostLimitCents,
    circuit_opened_at_ms: values.circuitOpenedAtMs,
    updated_at_ms: act.nowMs,
  };
  const before = await findSettings(db, organizationId);
  const saved = await db
    .insertInto("org_settings")
    .values({ organization_id: organizationId, created_at_ms: act.nowMs, ...columns })
    .onConflict((conflict) => conflict.column("organization_id").doUpdateSet(columns))
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordAuditEvent(db, act, {
    organizationId,
    action: "settings.save",
    target: organizationId,
    detail: before === undefined ? said(saved) : changesOf(said(before), said(saved)),
  });
  return saved;
}

function said(row: Row<"org_settings">) {
  return {
    eu_only: row.eu_only === 1,
    monthly_cost_limit_cents: row.monthly_cost_limit_cents,
    circuit_open: row.circuit_opened_at_ms !== null,
  } satisfies Record<string, AuditValue>;
}

/** Returns an organization's settled cost of a month, in microcents. */
export async function settledCostMicrocents(
  db: Db,
  organizationId: string,
  month: Month,
): Promise<number> {
  const row = await db
    .selectFrom("org_months")
    .select("cost_microcents")
    .where("organization_id", "=", organizationId)
    .where("month", "=", month)
    .executeTakeFirst();
  return row?.cost_microcents ?? 0;
}
