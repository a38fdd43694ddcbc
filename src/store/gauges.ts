import { MICROCENTS_PER_CENT } from "../domain/limits.ts";
import type { Month } from "../domain/month.ts";
import type { Db } from "./tables.ts";

/** How far an inference key is through its month. */
export interface KeyGauge {
  readonly organization: string;
  readonly id: string;
  readonly name: string;
  readonly usedTokens: number;
  readonly monthlyTokenLimit: number;
}

/** How far an organization with settings is through its month, and whether its cost circuit is open. */
export interface OrganizationGauge {
  readonly organization: string;
  readonly costMicrocents: number;
  readonly limitMicrocents: number;
  readonly circuitOpen: boolean;
}

/** Rows that are read at once: for that long no call is served. */
export const STEP_ROWS_MAX = 250;

/**
 * Returns the keys that used most in a month, those that are revoked aside, and the organizations by their slugs.
 * It reads every key, a step at a time.
 */
export async function topKeys(db: Db, month: Month, count: number): Promise<KeyGauge[]> {
  const top = new Top<KeyGauge>(count, (key) => key.usedTokens);
  for (let after = ""; ;) {
    const rows = await keysAfter(db, month, after);
    for (const row of rows) {
      const { organization, id, name } = row;
      const usedTokens = row.used_tokens ?? 0;
      top.add({ organization, id, name, usedTokens, monthlyTokenLimit: row.monthly_token_limit });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < STEP_ROWS_MAX) return top.all();
    after = last.id;
    await turn();
  }
}

/** Returns the organizations whose calls cost most in a month, those with an open cost circuit first. */
export async function topOrganizations(
  db: Db,
  month: Month,
  count: number,
): Promise<OrganizationGauge[]> {
  const top = new Top<OrganizationGauge>(count, (one) =>
    one.circuitOpen ? Number.POSITIVE_INFINITY : one.costMicrocents,
  );
  for (let after = ""; ;) {
    const rows = await organizationsAfter(db, month, after);
    for (const row of rows)
      top.add({
        organization: row.slug,
        costMicrocents: row.cost_microcents ?? 0,
        limitMicrocents: row.monthly_cost_limit_cents * MICROCENTS_PER_CENT,
        circuitOpen: row.circuit_opened_at_ms !== null,
      });
    const last = rows.at(-1);
    if (last === undefined || rows.length < STEP_ROWS_MAX) return top.all();
    after = last.organization_id;
    await turn();
  }
}

/** The greatest of what is added, never more than asked for. */
class Top<Item> {
  readonly #count: number;
  readonly #size: (item: Item) => number;
  #items: Item[] = [];

  constructor(count: number, size: (item: Item) => number) {
    this.#count = count;
    this.#size = size;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length >= this.#count * 2) this.#items = this.all();
  }

  /** Returns them, the greatest first. */
  all(): Item[] {
    const size = this.#size;
    const sorted = this.#items.sort((a, b) => (size(a) === size(b) ? 0 : size(b) - size(a)));
    return sorted.slice(0, this.#count);
  }
}

function keysAfter(db: Db, month: Month, after: string) {
  return db
    .selectFrom("inference_keys as keys")
    .innerJoin("organizations", "organizations.id", "keys.organization_id")
    .leftJoin("key_months as months", (join) =>
      join.onRef("months.key_id", "=", "keys.id").on("months.month", "=", month),
    )
    .select(["keys.id", "keys.name", "keys.monthly_token_limit", "months.used_tokens"])
    .select("organizations.slug as organization")
    .where("keys.id", ">", after)
    .where("keys.status", "!=", "revoked")
    .orderBy("keys.id")
    .limit(STEP_ROWS_MAX)
    .execute();
}

function organizationsAfter(db: Db, month: Month, after: string) {
  return db
    .selectFrom("org_settings as settings")
    .innerJoin("organizations", "organizations.id", "settings.organization_id")
    .leftJoin("org_months as months", (join) =>
      join
        .onRef("months.organization_id", "=", "settings.organization_id")
        .on("months.month", "=", month),
    )
    .select(["settings.organization_id", "settings.monthly_cost_limit_cents"])
    .select(["settings.circuit_opened_at_ms", "organizations.slug", "months.cost_microcents"])
    .where("settings.organization_id", ">", after)
    .orderBy("settings.organization_id")
    .limit(STEP_ROWS_MAX)
    .execute();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
