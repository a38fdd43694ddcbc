import { sql } from "kysely";
import type { Db, Tables } from "./tables.ts";
import { BOUND, sqlOf, writer } from "./written_sql.ts";

/** What is read beside the tables of the program: SQLite's own list of tables, and the migrations that were applied. */
interface SchemaTables {
  sqlite_schema: { name: string; type: string };
  kysely_migration: { name: string };
}

/** Writes the SQL of what every start asks, or prepares to ask while calls are served, by name. */
export function startSql() {
  const schema = writer<SchemaTables>();
  const db = writer<Tables>();
  return {
    tableNamed: sqlOf(
      schema
        .selectFrom("sqlite_schema")
        .select("name")
        .where("type", "=", sql.lit("table"))
        .where("name", "=", BOUND),
    ),
    newestMigration: sqlOf(
      schema.selectFrom("kysely_migration").select((row) => row.fn.max("name").as("name")),
    ),
    masterKeyIds: sqlOf(db.selectFrom("master_keys").select("id").orderBy("created_at_ms")),
    masterKeys: sqlOf(db.selectFrom("master_keys").selectAll().orderBy("created_at_ms")),
    sealingKeyIds: sqlOf(
      db
        .selectFrom("provider_configs")
        .select("master_key_id")
        .distinct()
        .where("master_key_id", "is not", null),
    ),
    anyOrganization: sqlOf(db.selectFrom("organizations").select("id").limit(sql.lit(1))),
    anyUser: sqlOf(db.selectFrom("users").select("id").limit(sql.lit(1))),
    ...ledgerReads(db),
    ...directoryReads(db),
  };
}

function ledgerReads(db: Db) {
  const keyMonth = db.selectFrom("key_months").select("used_tokens");
  const orgMonth = db.selectFrom("org_months").select("cost_microcents");
  const settings = db
    .selectFrom("org_settings")
    .select(["monthly_cost_limit_cents", "circuit_opened_at_ms"]);
  const oldest = db.selectFrom("organizations").select((row) => row.fn.min("id").as("id"));
  return {
    keyMonth: sqlOf(keyMonth.where("key_id", "=", BOUND).where("month", "=", BOUND)),
    orgMonth: sqlOf(orgMonth.where("organization_id", "=", BOUND).where("month", "=", BOUND)),
    costSettings: sqlOf(settings.where("organization_id", "=", BOUND)),
    recentCalls: sqlOf(
      db.selectFrom("calls").select(["key_id", "admitted_at_ms"]).where("id", ">=", BOUND),
    ),
    openCalls: sqlOf(db.selectFrom("calls").selectAll().where("state", "=", sql.lit("pending"))),
    lastBilledMonth: sqlOf(
      db.selectFrom("org_months").select((row) => row.fn.max("month").as("month")),
    ),
    touch: sqlOf(
      db
        .updateTable("organizations")
        .set((row) => ({ created_at_ms: row.ref("created_at_ms") }))
        .where("id", "=", oldest),
    ),
  };
}

function directoryReads(db: Db) {
  const settings = db.selectFrom("org_settings").select("eu_only");
  const providers = db.selectFrom("provider_configs").selectAll();
  const prices = db.selectFrom("model_prices").selectAll();
  return {
    keyByHash: sqlOf(db.selectFrom("inference_keys").selectAll().where("key_hash", "=", BOUND)),
    settings: sqlOf(settings.where("organization_id", "=", BOUND)),
    providers: sqlOf(providers.where("organization_id", "=", BOUND)),
    prices: sqlOf(prices.where("organization_id", "=", BOUND)),
    slug: sqlOf(db.selectFrom("organizations").select("slug").where("id", "=", BOUND)),
  };
}
