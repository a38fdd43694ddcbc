import { type RawBuilder, sql } from "kysely";
import type { Db } from "./tables.ts";

/** How much of everything there is. */
export interface Inventory {
  readonly organizations: number;
  readonly providerConfigs: number;
  /** Those that are active. */
  readonly inferenceKeys: number;
  readonly circuitsOpen: number;
}

/** Counts what is configured. */
export async function takeInventory(db: Db): Promise<Inventory> {
  return db
    .selectNoFrom([
      count(sql`organizations`).as("organizations"),
      count(sql`provider_configs`).as("providerConfigs"),
      count(sql`inference_keys where status = 'active'`).as("inferenceKeys"),
      count(sql`org_settings where circuit_opened_at_ms is not null`).as("circuitsOpen"),
    ])
    .executeTakeFirstOrThrow();
}

function count(rows: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(select count(*) from ${rows})`;
}
