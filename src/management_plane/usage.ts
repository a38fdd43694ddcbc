import * as v from "valibot";
import { monthOf, monthStartMs } from "../domain/month.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { reportUsage, USAGE_GROUPS, type UsageQuery } from "../store/usage_report.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { moment, oneOf } from "./fields.ts";
import { jsonResponse } from "./json_response.ts";
import type { UsageReport } from "./openapi/usage.ts";
import { readQuery } from "./read_query.ts";

/** Bounds a report by hour: beyond a month its rows are too many to read, and days say more. */
const HOURLY_DAYS_MAX = 31;
const DAY_MS = 86_400_000;

/** What a report can be asked for. */
export const Query = v.object({
  from: v.optional(moment()),
  to: v.optional(moment()),
  group_by: v.optional(oneOf(...USAGE_GROUPS), "model"),
});

/**
 * Answers with what the organization used. It is exact to the millisecond as long as calls are kept, and
 * to the hour from then on.
 */
export async function get(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const asked = readQuery(call.query, Query);
  const toMs = asked.to ?? call.act.nowMs;
  const query = usageQuery(call, asked, toMs);
  await deps.live.flush();
  const rows = await reportUsage(deps.db, query);
  const report: v.InferOutput<typeof UsageReport> = {
    from: formatRfc3339(query.fromMs),
    to: formatRfc3339(toMs),
    group_by: query.groupBy,
    rows: rows.map((row) => ({
      group_key: row.group_key,
      provider: row.provider,
      calls: row.calls,
      estimated_calls: row.estimated_calls,
      input_tokens: row.input_tokens,
      cache_read_tokens: row.cache_read_tokens,
      cache_write_tokens: row.cache_write_tokens,
      output_tokens: row.output_tokens,
      reasoning_tokens: row.reasoning_tokens,
      total_tokens: row.input_tokens + row.output_tokens,
      cost_microcents: row.cost_microcents,
    })),
  };
  return jsonResponse(200, report);
}

function usageQuery(
  { act, organization }: OrganizationCall,
  { from, to, group_by: groupBy }: v.InferOutput<typeof Query>,
  toMs: number,
): UsageQuery {
  const isOpen = to === undefined;
  const fromMs = from ?? monthStartMs(monthOf(act.nowMs));
  // In the first millisecond of a month both defaults are the same moment.
  if (fromMs >= toMs && !(from === undefined && isOpen))
    throw invalid(`from (${formatRfc3339(fromMs)}) must be before to (${formatRfc3339(toMs)})`);
  if (groupBy === "hour" && toMs - fromMs > HOURLY_DAYS_MAX * DAY_MS)
    throw invalid(`by hour it takes at most ${HOURLY_DAYS_MAX} days`);
  // Up to now takes in the calls of this very millisecond.
  return { organizationId: organization.id, fromMs, toMs: isOpen ? toMs + 1 : toMs, groupBy };
}

function invalid(why: string): ManagementError {
  return new ManagementError("invalid_request", `Cannot report usage: ${why}`);
}
