import { expect, test } from "bun:test";
import { findSettings, saveSettings, settledCostMicrocents } from "../../src/store/settings.ts";
import { ACT, auditedActions, NOW_MS, withOrganizations } from "../support/store.ts";

test(
  "settings are created, then replaced in place",
  withOrganizations(async (database, organizationId, other) => {
    const { db } = database;
    expect(await findSettings(db, organizationId)).toBeUndefined();
    const values = { euOnly: false, monthlyCostLimitCents: 500, circuitOpenedAtMs: null };
    await saveSettings(db, ACT, organizationId, values);
    const later = { ...ACT, nowMs: NOW_MS + 5 };
    const changed = { euOnly: true, monthlyCostLimitCents: 7, circuitOpenedAtMs: NOW_MS };
    const saved = await saveSettings(db, later, organizationId, changed);
    expect(saved).toEqual({
      organization_id: organizationId,
      eu_only: 1,
      monthly_cost_limit_cents: 7,
      circuit_opened_at_ms: NOW_MS,
      created_at_ms: NOW_MS,
      updated_at_ms: NOW_MS + 5,
    });
    expect(await findSettings(db, organizationId)).toEqual(saved);
    expect(await findSettings(db, other)).toBeUndefined();
    expect(await auditedActions(database)).toEqual([
      ["settings.save", { eu_only: false, monthly_cost_limit_cents: 500, circuit_open: false }],
      [
        "settings.save",
        {
          eu_only: { before: false, after: true },
          monthly_cost_limit_cents: { before: 500, after: 7 },
          circuit_open: { before: false, after: true },
        },
      ],
    ]);
  }),
);

test(
  "the settled cost is that of the organization and month, and 0 before there is any",
  withOrganizations(async ({ db }, organizationId, other) => {
    await db
      .insertInto("org_months")
      .values([
        { organization_id: organizationId, month: 202606, cost_microcents: 42 },
        { organization_id: organizationId, month: 202605, cost_microcents: 7 },
      ])
      .execute();
    expect(await settledCostMicrocents(db, organizationId, 202606)).toBe(42);
    expect(await settledCostMicrocents(db, organizationId, 202607)).toBe(0);
    expect(await settledCostMicrocents(db, other, 202606)).toBe(0);
  }),
);
