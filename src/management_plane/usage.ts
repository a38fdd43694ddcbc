import { monthOf, monthStartMs } from "../domain/month.ts";
import { formatRfc3339, parseRfc3339 } from "../std/rfc3339.ts";
import { reportUsage, type UsageQuery } from "../store/usage_report.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { jsonResponse } from "./json_response.ts";

/** Answers with what the organization used, by model or by key. */
export async function get(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  const query = readQuery(call);
  await deps.live.flush();
  const rows = await reportUsage(deps.db, query);
  return jsonResponse(200, {
    from: formatRfc3339(query.fromMs),
    to: formatRfc3339(query.toMs),
    group_by: query.groupBy,
    rows: rows.map((row) => ({
      group_key: row.group_key,
      provider: row.provider,
      calls: row.calls,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
      total_tokens: row.input_tokens + row.output_tokens,
      cost_microcents: row.cost_microcents,
    })),
  });
}

function readQuery({ query, act, organization }: OrganizationCall): UsageQuery {
  const from = query.get("from");
  const to = query.get("to");
  const fromMs = from === null ? monthStartMs(monthOf(act.nowMs)) : readTime("from", from);
  const toMs = to === null ? act.nowMs : readTime("to", to);
  // In the first millisecond of a month both defaults are the same moment.
  if (fromMs >= toMs && !(from === null && to === null))
    throw invalid(`from (${formatRfc3339(fromMs)}) must be before to (${formatRfc3339(toMs)})`);
  const groupBy = query.get("group_by") ?? "model";
  if (groupBy !== "model" && groupBy !== "key") throw invalid('group_by must be "model" or "key"');
  return { organizationId: organization.id, fromMs, toMs, groupBy };
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
