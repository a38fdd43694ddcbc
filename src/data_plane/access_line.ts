import type { Fields } from "../std/log.ts";
import type { Observation } from "./observation.ts";

/**
 * Returns what the log says of a call that is over: sizes, times and cost, never what was said. Fields that a call
 * does not have are left out.
 */
export function accessLine(call: Observation): Fields {
  const { hold, target, key, used, correlation } = call;
  return {
    request_id: call.requestId,
    key_prefix: key?.prefix,
    organization: key?.organizationId,
    operation: call.operation,
    model: call.requestedModel ?? undefined,
    provider: hold?.provider,
    residency: target === null ? undefined : target.euResident ? "eu" : "none",
    status: call.status,
    code: call.code,
    upstream_status: call.upstreamStatus ?? undefined,
    ttft_ms: sinceStart(call, call.firstChunkMs),
    dur_ms: sinceStart(call, call.endedMs),
    input_tokens: used?.usage.inputTokens,
    output_tokens: used?.usage.outputTokens,
    cached_tokens: used?.usage.cacheReadTokens,
    cost_microcents: used?.costMicrocents,
    stream: call.requestedModel === null ? undefined : call.stream,
    estimated: used?.estimated,
    trace_id: correlation.trace?.traceId,
    client_request_id: correlation.clientRequestId ?? undefined,
  };
}

/** Milliseconds to a tenth. */
function sinceStart(call: Observation, atMs: number | null): number | undefined {
  return atMs === null ? undefined : Math.round((atMs - call.startedMs) * 10) / 10;
}
