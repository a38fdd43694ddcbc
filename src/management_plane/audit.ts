import * as v from "valibot";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { listAuditEvents } from "../store/audit.ts";
import type { Row } from "../store/tables.ts";
import type { OperatorCall, OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { digits, moment, text, uuid } from "./fields.ts";
import { jsonResponse } from "./json_response.ts";
import type { AuditEvent, OperatorAuditEvent } from "./openapi/audit.ts";
import { readQuery } from "./read_query.ts";

const LIMIT_DEFAULT = 50;
/** Bounds a page. */
const LIMIT_MAX = 200;

/** Which events are asked for. */
export const Query = v.strictObject({
  limit: v.optional(digits(1, LIMIT_MAX)),
  before: v.optional(uuid()),
  action: v.optional(text()),
  actor: v.optional(text()),
  from: v.optional(moment()),
  to: v.optional(moment()),
});

/** Answers with what was changed in the organization, the newest first. */
export async function list(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  // A circuit that has just tripped is written down as such.
  await deps.live.flush();
  const { rows, more } = await find(call.query, deps, call.organization.id);
  return jsonResponse(200, { events: rows.map(view), has_more: more });
}

/** Answers with what was changed anywhere, also what belongs to no organization. */
export async function listAll(call: OperatorCall, deps: ManagementDeps): Promise<Response> {
  await deps.live.flush();
  const { rows, more } = await find(call.query, deps, null);
  return jsonResponse(200, { events: rows.map(operatorView), has_more: more });
}

async function find(
  query: URLSearchParams,
  { db }: Pick<ManagementDeps, "db">,
  organizationId: string | null,
) {
  const { limit = LIMIT_DEFAULT, before, action, actor, from, to } = readQuery(query, Query);
  const rows = await listAuditEvents(db, {
    organizationId,
    beforeId: before,
    action,
    actor,
    fromMs: from,
    toMs: to,
    limit: limit + 1,
  });
  return { rows: rows.slice(0, limit), more: rows.length > limit };
}

function view(row: Row<"audit_events">): v.InferOutput<typeof AuditEvent> {
  return {
    id: row.id,
    happened_at: formatRfc3339(row.happened_at_ms),
    actor: row.actor,
    address: row.address,
    action: row.action,
    target: row.target,
    detail: JSON.parse(row.detail) as v.InferOutput<typeof AuditEvent>["detail"],
  };
}

function operatorView(row: Row<"audit_events">): v.InferOutput<typeof OperatorAuditEvent> {
  return { ...view(row), organization_id: row.organization_id };
}
