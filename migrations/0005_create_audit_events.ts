import type { Kysely } from "kysely";

/** Who changed what in the management plane, written in the transaction of the change. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("audit_events")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("organization_id", "text")
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("target", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("happened_at_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("audit_events_by_organization")
    .on("audit_events")
    .columns(["organization_id", "happened_at_ms"])
    .execute();
}
