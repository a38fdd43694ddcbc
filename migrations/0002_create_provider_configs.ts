import type { Kysely } from "kysely";

/** Provider configs with their sealed keys, and the check values of the master keys that sealed them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("master_keys")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("check_value", "text", (column) => column.notNull())
    .addColumn("is_primary", "integer", (column) => column.notNull())
    .addColumn("wrapped_key", "text")
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("provider_configs")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("organization_id", "text", (column) =>
      column.notNull().references("organizations.id"),
    )
    .addColumn("provider", "text", (column) => column.notNull())
    .addColumn("base_url", "text")
    .addColumn("eu_endpoint", "integer", (column) => column.notNull())
    .addColumn("enabled", "integer", (column) => column.notNull())
    .addColumn("sealed_key", "text", (column) => column.notNull())
    // A key that something is still sealed by can be neither forgotten nor unknown.
    .addColumn("master_key_id", "text", (column) => column.references("master_keys.id"))
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("updated_at_ms", "bigint", (column) => column.notNull())
    .addUniqueConstraint("provider_configs_once", ["organization_id", "provider"])
    .execute();
  await db.schema
    .createIndex("provider_configs_by_master_key")
    .on("provider_configs")
    .columns(["master_key_id", "id"])
    .execute();
}
