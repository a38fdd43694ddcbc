import type { Kysely } from "kysely";

/** What organizations say that models cost, in microcents per million tokens. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("model_prices")
    .addColumn("organization_id", "text", (column) =>
      column.notNull().references("organizations.id"),
    )
    .addColumn("provider", "text", (column) => column.notNull())
    .addColumn("model", "text", (column) => column.notNull())
    .addColumn("alias_of", "text")
    .addColumn("input", "bigint")
    .addColumn("output", "bigint")
    .addColumn("cache_read", "bigint")
    .addColumn("cache_write", "bigint")
    .addColumn("cache_write_1h", "bigint")
    .addColumn("input_audio", "bigint")
    .addColumn("output_audio", "bigint")
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("updated_at_ms", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("model_prices_pk", ["organization_id", "provider", "model"])
    .execute();
}
