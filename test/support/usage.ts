import type { Db, NewRow } from "../../src/store/tables.ts";

const HOUR_MS = 3_600_000;

/** Writes an hour of settled calls as the ledger would: 100 tokens in, 10 out, 5 microcents, unless said otherwise. */
export async function addUsageHour(
  db: Db,
  organizationId: string,
  atMs: number,
  row: Partial<NewRow<"usage_hours">> = {},
): Promise<void> {
  await db
    .insertInto("usage_hours")
    .values({
      organization_id: organizationId,
      hour: Math.floor(atMs / HOUR_MS),
      key_id: "key-1",
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
    })
    .execute();
}
