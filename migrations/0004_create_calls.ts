import type { CreateTableBuilder, Kysely } from "kysely";

/** The ledger: one row per call, and what has been settled by month and by hour. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createCalls(db);
  await counts(
    db.schema
      .createTable("key_months")
      .addColumn("key_id", "text", (column) => column.notNull())
      .addColumn("month", "integer", (column) => column.notNull())
      .addPrimaryKeyConstraint("key_months_pk", ["key_id", "month"]),
    ["used_tokens"],
  ).execute();
  await counts(
    db.schema
      .createTable("org_months")
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("month", "integer", (column) => column.notNull())
      .addPrimaryKeyConstraint("org_months_pk", ["organization_id", "month"]),
    ["cost_microcents"],
  ).execute();
  await createUsage(db, "usage_hours", "hour");
  await createUsage(db, "usage_days", "day");
}

/** The same sums twice: a report over months reads days, and hours only at its edges. */
async function createUsage(db: Kysely<unknown>, table: string, period: string): Promise<void> {
  await counts(
    db.schema
      .createTable(table)
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn(period, "integer", (column) => column.notNull())
      .addColumn("key_id", "text", (column) => column.notNull())
      .addColumn("provider", "text", (column) => column.notNull())
      .addColumn("requested_model", "text", (column) => column.notNull())
      // In this order a report by hour or day reads along the index and sorts nothing.
      .addPrimaryKeyConstraint(`${table}_pk`, [
        "organization_id",
        period,
        "provider",
        "key_id",
        "requested_model",
      ]),
    ["calls", "estimated_calls", ...MEASURED],
  ).execute();
}

const MEASURED = [
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "cost_microcents",
];

async function createCalls(db: Kysely<unknown>): Promise<void> {
  const calls = db.schema
    .createTable("calls")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("organization_id", "text", (column) => column.notNull())
    .addColumn("key_id", "text", (column) => column.notNull())
    .addColumn("provider", "text", (column) => column.notNull())
    .addColumn("operation", "text", (column) => column.notNull())
    .addColumn("requested_model", "text", (column) => column.notNull())
    .addColumn("served_model", "text")
    .addColumn("streamed", "integer", (column) => column.notNull())
    .addColumn("admitted_at_ms", "bigint", (column) => column.notNull())
    .addColumn("month", "integer", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("ending", "text")
    .addColumn("ended_at_ms", "bigint")
    .addColumn("upstream_status", "integer")
    .addColumn("estimated", "integer", (column) => column.notNull())
    .addColumn("price_id", "text")
    .addColumn("price_percent", "integer")
    .addColumn("price_tier_above", "bigint")
    .addColumn("price_rates", "text");
  await counts(calls, [
    "held_tokens",
    "held_cost_microcents",
    ...MEASURED,
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
  ]).execute();
  // After a crash the start must find the few calls left open among millions.
  await db.schema
    .createIndex("calls_pending")
    .on("calls")
    .columns(["state", "id"])
    .where("state", "=", "pending")
    .execute();
}

function counts<Table extends string>(
  table: CreateTableBuilder<Table>,
  names: readonly string[],
): CreateTableBuilder<Table> {
  return names.reduce(
    (builder, name) => builder.addColumn(name, "bigint", (column) => column.notNull()),
    table,
  );
}
