import { sql } from "kysely";
import { monthOf } from "../../src/domain/month.ts";
import { uuid7 } from "../../src/std/uuid7.ts";
import type { Db, NewRow } from "../../src/store/tables.ts";

const HOUR_MS = 3_600_000;

const DAY_KEY = ["organization_id", "key_id", "provider", "requested_model"] as const;

const COUNTS = [
  "calls",
  "estimated_calls",
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "cost_microcents",
] as const;

/** The inference key that used it. */
export const KEY_ID = "019ecb27-2200-7440-b544-00000000000e";

/** Writes an hour of settled calls as the ledger would: 100 tokens in, 10 out, 5 microcents, unless said otherwise. */
export async function addUsageHour(
  db: Db,
  organizationId: string,
  atMs: number,
  row: Partial<NewRow<"usage_hours">> = {},
): Promise<void> {
  const hour = Math.floor(atMs / HOUR_MS);
  const used = {
    organization_id: organizationId,
    key_id: KEY_ID,
    provider: "openai",
    requested_model: "openai/gpt-5",
    calls: 1,
    estimated_calls: 0,
    input_tokens: 100,
    cache_read_tokens: 20,
    cache_write_tokens: 0,
    output_tokens: 10,
    reasoning_tokens: 4,
    cost_microcents: 5,
    ...row,
  } as const;
  await db
    .insertInto("usage_hours")
    .values({ ...used, hour })
    .execute();
  await db.deleteFrom("usage_days").execute();
  await db
    .insertInto("usage_days")
    .columns(["day", ...DAY_KEY, ...COUNTS])
    .expression((row) =>
      row
        .selectFrom("usage_hours")
        .select([sql<number>`hour / 24`.as("day"), ...DAY_KEY])
        .select((sums) => COUNTS.map((name) => sums.fn.sum<number>(name).as(name)))
        .groupBy(["day", ...DAY_KEY]),
    )
    .execute();
}

/** Returns the row of a settled call that is an hour of `addUsageHour` by itself. */
export function postedCall(organizationId: string, atMs: number): NewRow<"calls"> {
  return {
    id: uuid7(atMs),
    organization_id: organizationId,
    key_id: KEY_ID,
    provider: "openai",
    operation: "chat",
    requested_model: "openai/gpt-5",
    served_model: "gpt-5",
    streamed: 0,
    admitted_at_ms: atMs,
    month: monthOf(atMs),
    state: "posted",
    held_tokens: 200,
    held_cost_microcents: 10,
    ending: "completed",
    ended_at_ms: atMs,
    upstream_status: 200,
    estimated: 0,
    input_tokens: 100,
    cache_read_tokens: 20,
    cache_write_tokens: 0,
    output_tokens: 10,
    reasoning_tokens: 4,
    cost_microcents: 5,
    cache_write_1h_tokens: 0,
    input_audio_tokens: 0,
    output_audio_tokens: 0,
  };
}
