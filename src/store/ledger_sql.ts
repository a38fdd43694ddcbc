import { sql } from "kysely";
import { MICROCENTS_PER_CENT } from "../domain/limits.ts";
import type { Db, Tables } from "./tables.ts";
import { BOUND, sqlOf, writer } from "./written_sql.ts";

const MEASURED = {
  input_tokens: BOUND,
  cache_read_tokens: BOUND,
  cache_write_tokens: BOUND,
  output_tokens: BOUND,
  reasoning_tokens: BOUND,
  cost_microcents: BOUND,
};

const COUNTS = { calls: BOUND, estimated_calls: BOUND, ...MEASURED };

const USED_BY = { key_id: BOUND, provider: BOUND, requested_model: BOUND };

/** Writes the SQL of the ledger's statements, by name. They bind their values in the order in which the query names them. */
export function ledgerSql() {
  const db: Db = writer<Tables>();
  return {
    insertCall: sqlOf(insertCall(db)),
    settleCall: sqlOf(settleCall(db)),
    checkpointCall: sqlOf(
      db
        .updateTable("calls")
        .set({ output_tokens: BOUND, cost_microcents: BOUND })
        .where("id", "=", BOUND)
        .where("state", "=", sql.lit("pending")),
    ),
    addKeyMonth: sqlOf(
      db
        .insertInto("key_months")
        .values({ key_id: BOUND, month: BOUND, used_tokens: BOUND })
        .onConflict((conflict) =>
          conflict.columns(["key_id", "month"]).doUpdateSet((row) => ({
            used_tokens: row("key_months.used_tokens", "+", row.ref("excluded.used_tokens")),
          })),
        ),
    ),
    addOrgMonth: sqlOf(
      db
        .insertInto("org_months")
        .values({ organization_id: BOUND, month: BOUND, cost_microcents: BOUND })
        .onConflict((conflict) =>
          conflict.columns(["organization_id", "month"]).doUpdateSet((row) => ({
            cost_microcents: row(
              "org_months.cost_microcents",
              "+",
              row.ref("excluded.cost_microcents"),
            ),
          })),
        ),
    ),
    addUsageHour: sqlOf(addUsageHour(db)),
    addUsageDay: sqlOf(addUsageDay(db)),
    openCircuit: sqlOf(
      db
        .updateTable("org_settings")
        .set({ circuit_opened_at_ms: BOUND })
        .where("organization_id", "=", BOUND)
        .where("circuit_opened_at_ms", "is", null),
    ),
    openCircuits: sqlOf(openCircuits(db)),
    addAuditEvent: sqlOf(
      db.insertInto("audit_events").values({
        id: BOUND,
        organization_id: BOUND,
        actor: BOUND,
        address: BOUND,
        action: BOUND,
        target: BOUND,
        detail: BOUND,
        happened_at_ms: BOUND,
      }),
    ),
  };
}

function openCircuits(db: Db) {
  return db
    .updateTable("org_settings")
    .set({ circuit_opened_at_ms: BOUND })
    .where("circuit_opened_at_ms", "is", null)
    .where((row) =>
      row.exists(
        row
          .selectFrom("org_months")
          .select("org_months.month")
          .whereRef("org_months.organization_id", "=", "org_settings.organization_id")
          .where("org_months.month", "=", BOUND)
          .whereRef(
            "org_months.cost_microcents",
            ">=",
            row("org_settings.monthly_cost_limit_cents", "*", sql.lit(MICROCENTS_PER_CENT)),
          ),
      ),
    )
    .returning("organization_id");
}

function insertCall(db: Db) {
  return db.insertInto("calls").values({
    id: BOUND,
    organization_id: BOUND,
    key_id: BOUND,
    provider: BOUND,
    operation: BOUND,
    requested_model: BOUND,
    streamed: BOUND,
    admitted_at_ms: BOUND,
    month: BOUND,
    held_tokens: BOUND,
    held_cost_microcents: BOUND,
    input_tokens: BOUND,
    cache_read_tokens: sql.lit(0),
    cache_write_tokens: sql.lit(0),
    output_tokens: sql.lit(0),
    reasoning_tokens: sql.lit(0),
    cost_microcents: sql.lit(0),
    cache_write_1h_tokens: sql.lit(0),
    input_audio_tokens: sql.lit(0),
    output_audio_tokens: sql.lit(0),
    state: sql.lit("pending"),
    estimated: sql.lit(0),
  });
}

/** Settles a call that is still open. Said twice, the second time changes nothing. */
function settleCall(db: Db) {
  return db
    .updateTable("calls")
    .set({
      state: BOUND,
      ending: BOUND,
      ended_at_ms: BOUND,
      served_model: BOUND,
      upstream_status: BOUND,
      estimated: BOUND,
      price_id: BOUND,
      price_percent: BOUND,
      price_tier_above: BOUND,
      price_rates: BOUND,
      cache_write_1h_tokens: BOUND,
      input_audio_tokens: BOUND,
      output_audio_tokens: BOUND,
      ...MEASURED,
    })
    .where("id", "=", BOUND)
    .where("state", "=", sql.lit("pending"));
}

function addUsageHour(db: Db) {
  return db
    .insertInto("usage_hours")
    .values({ organization_id: BOUND, hour: BOUND, ...USED_BY, ...COUNTS })
    .onConflict((conflict) =>
      conflict
        .columns(["organization_id", "hour", "key_id", "provider", "requested_model"])
        .doUpdateSet(countsAdded("usage_hours")),
    );
}

function addUsageDay(db: Db) {
  return db
    .insertInto("usage_days")
    .values({ organization_id: BOUND, day: BOUND, ...USED_BY, ...COUNTS })
    .onConflict((conflict) =>
      conflict
        .columns(["organization_id", "day", "key_id", "provider", "requested_model"])
        .doUpdateSet(countsAdded("usage_days")),
    );
}

function countsAdded(table: "usage_hours" | "usage_days") {
  const sum = (name: keyof typeof COUNTS) =>
    sql<number>`${sql.ref(`${table}.${name}`)} + ${sql.ref(`excluded.${name}`)}`;
  return {
    calls: sum("calls"),
    estimated_calls: sum("estimated_calls"),
    input_tokens: sum("input_tokens"),
    cache_read_tokens: sum("cache_read_tokens"),
    cache_write_tokens: sum("cache_write_tokens"),
    output_tokens: sum("output_tokens"),
    reasoning_tokens: sum("reasoning_tokens"),
    cost_microcents: sum("cost_microcents"),
  };
}
