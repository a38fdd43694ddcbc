import * as v from "valibot";
import { MICROCENTS_PER_CENT } from "../domain/limits.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { findSettings, saveSettings, settledCostMicrocents } from "../store/settings.ts";
import type { Row } from "../store/tables.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { flag, wholeNumber } from "./fields.ts";
import { jsonResponse } from "./json_response.ts";
import type { Settings } from "./openapi/settings.ts";
import { readBody } from "./read_body.ts";

const COST_LIMIT_CENTS_MAX = 1_000_000_000_000;

/** What of the settings can change. */
export const PutBody = v.strictObject({
  monthly_cost_limit_cents: v.optional(wholeNumber(1, COST_LIMIT_CENTS_MAX)),
  eu_only: v.optional(flag()),
  reset_circuit: v.optional(flag(), false),
});

/** Answers with the organization's settings, once it has some. */
export async function get(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  // A circuit that has just tripped is shown as such.
  await deps.live.flush();
  const settings = await findSettings(deps.db, call.organization.id);
  if (settings !== undefined) return jsonResponse(200, view(settings));
  throw new ManagementError(
    "settings_not_configured",
    "Cannot find settings: this organization has none yet, set monthly_cost_limit_cents first",
  );
}

/** Changes what is given of the settings. */
export async function put(
  call: OrganizationCall,
  deps: Pick<ManagementDeps, "db" | "live">,
): Promise<Response> {
  const body = await readBody(call.request, PutBody);
  // What was settled but not yet written decides too.
  await deps.live.flush();
  const organizationId = call.organization.id;
  const saved = await deps.db.transaction().execute(async (tx) => {
    const before = await findSettings(tx, organizationId);
    const limitCents = body.monthly_cost_limit_cents ?? before?.monthly_cost_limit_cents;
    if (limitCents === undefined) throw limitRequired();
    const month = deps.live.month(call.act.nowMs);
    const settled = await settledCostMicrocents(tx, organizationId, month);
    const isOver = settled >= limitCents * MICROCENTS_PER_CENT;
    if (body.reset_circuit && isOver) throw stillOver();
    return saveSettings(tx, call.act, organizationId, {
      euOnly: body.eu_only ?? before?.eu_only === 1,
      monthlyCostLimitCents: limitCents,
      circuitOpenedAtMs: circuitAfter(before, body.reset_circuit, isOver, call.act.nowMs),
    });
  });
  deps.live.organizationChanged(organizationId);
  return jsonResponse(200, view(saved));
}

/** Returns when the cost circuit opened, or null if it is closed: latched until reset, tripped by a limit set too low. */
function circuitAfter(
  before: Row<"org_settings"> | undefined,
  isReset: boolean,
  isOver: boolean,
  nowMs: number,
): number | null {
  if (isOver) return before?.circuit_opened_at_ms ?? nowMs;
  return isReset ? null : (before?.circuit_opened_at_ms ?? null);
}

function limitRequired(): ManagementError {
  return new ManagementError(
    "invalid_request",
    "Cannot save settings: monthly_cost_limit_cents is required the first time",
  );
}

function stillOver(): ManagementError {
  return new ManagementError(
    "circuit_still_over",
    "Cannot reset cost circuit: this month's cost is at or over the limit, raise monthly_cost_limit_cents as well",
  );
}

function view(settings: Row<"org_settings">): v.InferOutput<typeof Settings> {
  const openedAtMs = settings.circuit_opened_at_ms;
  return {
    organization_id: settings.organization_id,
    eu_only: settings.eu_only === 1,
    monthly_cost_limit_cents: settings.monthly_cost_limit_cents,
    circuit_open: openedAtMs !== null,
    ...(openedAtMs === null ? {} : { circuit_opened_at: formatRfc3339(openedAtMs) }),
    updated_at: formatRfc3339(settings.updated_at_ms),
  };
}
