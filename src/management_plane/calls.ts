import type * as v from "valibot";
import { chargedTokens, RATE_KINDS, RATE_NAMES, type Rates } from "../domain/price.ts";
import { NO_USAGE, totalTokens, type Usage } from "../domain/usage.ts";
import { formatRfc3339 } from "../std/rfc3339.ts";
import { parseUuid } from "../std/uuid.ts";
import { findCall } from "../store/calls.ts";
import { readRates } from "../store/price_rates.ts";
import type { Row } from "../store/tables.ts";
import type { OrganizationCall } from "./call.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";
import { jsonResponse } from "./json_response.ts";
import type { Call } from "./openapi/calls.ts";
import { ratesView } from "./rates_view.ts";

/** Answers with what one call used and how its cost was computed. Its id is the `x-request-id` of its answer. */
export async function get(call: OrganizationCall, deps: ManagementDeps): Promise<Response> {
  await deps.live.flush();
  const id = parseUuid(call.params["callId"] ?? "");
  const row = id === null ? undefined : await findCall(deps.db, call.organization.id, id);
  if (row !== undefined) return jsonResponse(200, view(row));
  throw new ManagementError(
    "call_not_found",
    "Cannot find call: this organization has none with this id, or it is older than calls are kept",
  );
}

function view(row: Row<"calls">): v.InferOutput<typeof Call> {
  // A row in flight holds estimates for the case of a crash; nothing is settled yet.
  const usage = row.state === "pending" ? NO_USAGE : usageOf(row);
  const rates = row.price_rates === null ? null : readRates(row.price_rates);
  return {
    id: row.id,
    key_id: row.key_id,
    provider: row.provider,
    operation: row.operation,
    model: row.requested_model,
    served_model: row.served_model,
    streamed: row.streamed === 1,
    admitted_at: formatRfc3339(row.admitted_at_ms),
    ended_at: row.ended_at_ms === null ? null : formatRfc3339(row.ended_at_ms),
    state: row.state,
    ending: row.ending,
    upstream_status: row.upstream_status,
    estimated: row.estimated === 1,
    held_tokens: row.held_tokens,
    held_cost_microcents: row.held_cost_microcents,
    usage: usageView(usage),
    cost_microcents: row.state === "pending" ? 0 : row.cost_microcents,
    price_id: row.price_id,
    price: rates === null ? null : priceView(row, rates),
    charges: rates === null ? [] : charges(usage, rates),
  };
}

function usageOf(row: Row<"calls">): Usage {
  return {
    inputTokens: row.input_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    cacheWrite1hTokens: row.cache_write_1h_tokens,
    inputAudioTokens: row.input_audio_tokens,
    outputTokens: row.output_tokens,
    reasoningTokens: row.reasoning_tokens,
    outputAudioTokens: row.output_audio_tokens,
  };
}

function usageView(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    input_audio_tokens: usage.inputAudioTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    output_audio_tokens: usage.outputAudioTokens,
    total_tokens: totalTokens(usage),
  };
}

/** Shows the rates that were charged: those of the tier that the call fell into, with the percentage contained. */
function priceView(row: Row<"calls">, rates: Rates) {
  return {
    percent: row.price_percent,
    tier_above_input_tokens: row.price_tier_above,
    ...ratesView(rates),
  };
}

/**
 * Shows the cost line by line. Tokens times rate, summed up, divided by a million and rounded up once, is
 * the cost: no token stands in two lines.
 */
function charges(usage: Usage, rates: Rates) {
  const tokens = chargedTokens(usage, rates);
  return RATE_KINDS.filter((kind) => tokens[kind] > 0).map((kind) => ({
    kind: RATE_NAMES[kind],
    tokens: tokens[kind],
    microcents_per_million_tokens: rates[kind] ?? 0,
  }));
}
