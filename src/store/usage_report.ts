import type { ProviderId } from "../domain/provider.ts";
import type { Db } from "./tables.ts";

const HOUR_MS = 3_600_000;

export interface UsageQuery {
  readonly organizationId: string;
  /** An hour counts if it begins at or after the hour of `fromMs`, and before `toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly groupBy: "model" | "key";
}

/** What a model or a key used at one provider. */
export interface UsageRow {
  /** `provider/model`, or the id of the key. */
  readonly group_key: string;
  readonly provider: ProviderId;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_microcents: number;
}

/** Sums up settled calls by model or key, the most expensive first. It reads the roll-up, never the calls. */
export function reportUsage(db: Db, query: UsageQuery): Promise<UsageRow[]> {
  const column = query.groupBy === "model" ? "requested_model" : "key_id";
  return db
    .selectFrom("usage_hours")
    .where("organization_id", "=", query.organizationId)
    .where("hour", ">=", Math.floor(query.fromMs / HOUR_MS))
    .where("hour", "<", Math.ceil(query.toMs / HOUR_MS))
    .groupBy([column, "provider"])
    .select((eb) => [
      eb.ref(column).as("group_key"),
      "provider",
      eb.fn.sum<number>("calls").as("calls"),
      eb.fn.sum<number>("input_tokens").as("input_tokens"),
      eb.fn.sum<number>("output_tokens").as("output_tokens"),
      eb.fn.sum<number>("cost_microcents").as("cost_microcents"),
    ])
    .orderBy("cost_microcents", "desc")
    .orderBy("group_key")
    .orderBy("provider")
    .execute();
}
