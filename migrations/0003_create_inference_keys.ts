import type { Kysely } from "kysely";

/** Inference keys and the settings of an organization. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("inference_keys")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("organization_id", "text", (column) =>
      column.notNull().references("organizations.id"),
    )
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("key_prefix", "text", (column) => column.notNull())
    .addColumn("key_hash", "text", (column) => column.notNull().unique())
    .addColumn("monthly_token_limit", "bigint", (column) => column.notNull())
    .addColumn("rate_limit_rpm", "integer", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("revoked_at_ms", "bigint")
    .execute();
  await db.schema
    .createIndex("inference_keys_by_organization")
    .on("inference_keys")
    .columns(["organization_id", "created_at_ms"])
    .execute();
  await db.schema
    .createTable("org_settings")
    .addColumn("organization_id", "text", (column) =>
      column.primaryKey().notNull().references("organizations.id"),
    )
    .addColumn("eu_only", "integer", (column) => column.notNull())
    .addColumn("monthly_cost_limit_cents", "bigint", (column) => column.notNull())
    .addColumn("circuit_opened_at_ms", "bigint")
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("updated_at_ms", "bigint", (column) => column.notNull())
    .execute();
}
