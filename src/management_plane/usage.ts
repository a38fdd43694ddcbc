import { monthOf, monthStartMs } from "../domain/month.ts";
import { formatRfc3339, parseRfc3339 } from "../std/rfc3339.ts";
import { reportUsage, USAGE_GROUPS, type UsageQuery } from "../store/usage_report.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { jsonResponse } from "./json_response.ts";

/** Bounds a report by hour: beyond a month its rows are too many to read, and days say more. */
const HOURLY_DAYS_MAX = 31;
const DAY_MS = 86_400_000;

/**
 * Answers with what the organization used. It is exact to the millisecond as long as calls are kept, and
 * to the hour from then on.
 */
export async function get(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const toMs = readTo(call);
  const query = readQuery(call, toMs);
  await deps.live.flush();
  const rows = await reportUsage(deps.db, query);
  return jsonResponse(200, {
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
  });
}

function readTo({ query, act }: OrganizationCall): number {
  const to = query.get("to");
  return to === null ? act.nowMs : readTime("to", to);
}

function readQuery({ query, act, organization }: OrganizationCall, toMs: number): UsageQuery {
  const from = query.get("from");
  const isOpen = query.get("to") === null;
  const fromMs = from === null ? monthStartMs(monthOf(act.nowMs)) : readTime("from", from);
  // In the first millisecond of a month both defaults are the same moment.
  if (fromMs >= toMs && !(from === null && isOpen))
    throw invalid(`from (${formatRfc3339(fromMs)}) must be before to (${formatRfc3339(toMs)})`);
  const asked = query.get("group_by") ?? "model";
  const groupBy = USAGE_GROUPS.find((group) => group === asked);
  if (groupBy === undefined) throw invalid(`group_by must be one of ${USAGE_GROUPS.join(", ")}`);
  if (groupBy === "hour" && toMs - fromMs > HOURLY_DAYS_MAX * DAY_MS)
    throw invalid(`by hour it takes at most ${HOURLY_DAYS_MAX} days`);
  // Up to now takes in the calls of this very millisecond.
  return { organizationId: organization.id, fromMs, toMs: isOpen ? toMs + 1 : toMs, groupBy };
}

function readTime(name: string, text: string): number {
  // An offset such as +02:00 arrives with a space if its plus was not escaped.
  const timeMs = parseRfc3339(text.replace(" ", "+"));
  if (timeMs !== null) return timeMs;
  throw invalid(`${name} must be an RFC 3339 time such as 2026-06-01T00:00:00Z`);
}

function invalid(why: string): ManagementError {
  return new ManagementError("invalid_request", `Cannot report usage: ${why}`);
}
