import { type Expression, sql } from "kysely";
import type { ProviderId } from "../domain/provider.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { uuid7From } from "../std/uuid7.ts";
import { ADMISSION_LAG_MS } from "./accounts.ts";
import type { Db } from "./tables.ts";

const HOUR_MS = 3_600_000;
const HOURS_PER_DAY = 24;

/** What usage can be summed up by. */
export const USAGE_GROUPS = ["model", "key", "provider", "hour", "day"] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

export interface UsageQuery {
  readonly organizationId: string;
  /** Calls count that were admitted from here on. */
  readonly fromMs: number;
  /** Calls count that were admitted before. */
  readonly toMs: number;
  readonly groupBy: UsageGroup;
}

/** What is summed up, in the order in which the parts of the query name it. */
const SUMS = [
  "calls",
  "estimated_calls",
  "input_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "cost_microcents",
] as const;

type Sums = Readonly<Record<(typeof SUMS)[number], number>>;

/** What one group used at one provider. */
export interface UsageRow extends Sums {
  /** `provider/model`, the id of a key, a provider, or when an hour or a UTC day begins, as RFC 3339. */
  readonly group_key: string;
  readonly provider: ProviderId;
}

/**
 * Sums up settled calls: hours and days in their order, other groups the most expensive first.
 *
 * It reads the days and hours that the window touches, and takes off again what the calls at its edges used
 * outside of it. Of hours whose calls are no longer kept nothing can be taken off: there it is exact to the
 * hour.
 */
export async function reportUsage(db: Db, query: UsageQuery): Promise<UsageRow[]> {
  const byTime = query.groupBy === "hour" || query.groupBy === "day";
  const grouped = db
    .selectFrom(partsOf(db, query).as("part"))
    .groupBy(["group_key", "provider"])
    .having((row) => row.fn.sum("calls"), ">", 0)
    .select(["group_key", "provider"])
    .select((row) => SUMS.map((name) => row.fn.sum<number>(name).as(name)));
  const ordered = byTime ? grouped : grouped.orderBy("cost_microcents", "desc");
  const rows = await ordered.orderBy("group_key").orderBy("provider").execute();
  return rows.map((row) => ({ ...row, group_key: groupKey(row.group_key, query.groupBy) }));
}

/** Puts a window together: whole days in its middle, hours on both sides, less what calls used outside of it. */
function partsOf(db: Db, query: UsageQuery) {
  const { fromMs, toMs } = query;
  const firstHour = Math.floor(fromMs / HOUR_MS);
  const endHour = Math.ceil(toMs / HOUR_MS);
  const firstDay = Math.ceil(firstHour / HOURS_PER_DAY);
  const endDay = Math.floor(endHour / HOURS_PER_DAY);
  const hasDays = query.groupBy !== "hour" && firstDay < endDay;
  let parts = hasDays
    ? hoursWithin(db, query, firstHour, firstDay * HOURS_PER_DAY)
        .unionAll(daysWithin(db, query, firstDay, endDay))
        .unionAll(hoursWithin(db, query, endDay * HOURS_PER_DAY, endHour))
    : hoursWithin(db, query, firstHour, endHour);
  const firstMs = firstHour * HOUR_MS;
  if (firstMs < fromMs) parts = parts.unionAll(lessCallsWithin(db, query, firstMs, fromMs));
  const endMs = endHour * HOUR_MS;
  if (toMs < endMs) parts = parts.unionAll(lessCallsWithin(db, query, toMs, endMs));
  return parts;
}

function hoursWithin(db: Db, { organizationId, groupBy }: UsageQuery, first: number, end: number) {
  return db
    .selectFrom("usage_hours")
    .where("organization_id", "=", organizationId)
    .where("hour", ">=", first)
    .where("hour", "<", end)
    .select([groupColumn(groupBy, sql.ref("hour")).as("group_key"), "provider"])
    .select((row) => SUMS.map((name) => row.fn.sum<number>(name).as(name)))
    .groupBy(["group_key", "provider"]);
}

function daysWithin(db: Db, { organizationId, groupBy }: UsageQuery, first: number, end: number) {
  const firstHour = sql`day * ${sql.lit(HOURS_PER_DAY)}`;
  return db
    .selectFrom("usage_days")
    .where("organization_id", "=", organizationId)
    .where("day", ">=", first)
    .where("day", "<", end)
    .select([groupColumn(groupBy, firstHour).as("group_key"), "provider"])
    .select((row) => SUMS.map((name) => row.fn.sum<number>(name).as(name)))
    .groupBy(["group_key", "provider"]);
}

/** Sums up below zero the charged calls that were admitted within the window, a part of one hour. */
function lessCallsWithin(
  db: Db,
  { organizationId, groupBy }: UsageQuery,
  fromMs: number,
  toMs: number,
) {
  const hour = sql`admitted_at_ms / ${sql.lit(HOUR_MS)}`;
  return (
    db
      .selectFrom("calls")
      .where("organization_id", "=", organizationId)
      // Ids are in the order of time and have an index; a call gets its id a little before it is admitted.
      .where("id", ">=", uuid7From(fromMs - ADMISSION_LAG_MS))
      .where("id", "<", uuid7From(toMs + ADMISSION_LAG_MS))
      .where("admitted_at_ms", ">=", fromMs)
      .where("admitted_at_ms", "<", toMs)
      .where("state", "in", ["posted", "expired"])
      .select([groupColumn(groupBy, hour).as("group_key"), "provider"])
      .select((row) =>
        SUMS.map((name) => {
          if (name === "calls") return row.neg(row.fn.countAll<number>()).as(name);
          const column = name === "estimated_calls" ? "estimated" : name;
          return row.neg(row.fn.sum<number>(column)).as(name);
        }),
      )
      .groupBy(["group_key", "provider"])
  );
}

function groupColumn(groupBy: UsageGroup, hour: Expression<unknown>) {
  switch (groupBy) {
    case "model":
      return sql.ref<string | number>("requested_model");
    case "key":
      return sql.ref<string | number>("key_id");
    case "provider":
      return sql.ref<string | number>("provider");
    case "hour":
      return sql<string | number>`${hour}`;
    case "day":
      return sql<string | number>`${hour} / ${sql.lit(HOURS_PER_DAY)}`;
  }
}

function groupKey(key: string | number, groupBy: UsageGroup): string {
  if (typeof key === "string") return key;
  return formatRfc3339(key * HOUR_MS * (groupBy === "day" ? HOURS_PER_DAY : 1));
}
