import type { Attributes, Span } from "../std/otlp_exporter.ts";
import { newSpanId } from "../std/trace_context.ts";
import type { Observation } from "./observation.ts";

/** What the spans of a call need to know beyond it. */
export interface SpanContext {
  readonly path: string;
  /** What the wall clock adds to the monotonic one, in milliseconds. */
  readonly wallMinusMonotonicMs: number;
}

/**
 * Returns the spans of a call that is over: the request as we served it and, if it was sent, the call to the
 * provider in the words of the GenAI conventions. None if the client's trace is not recorded.
 */
export function callSpans(call: Observation, context: SpanContext): Span[] {
  const { trace } = call.correlation;
  if (trace?.sampled === false) return [];
  // Without a trace of the client's, it is found by the id of the request: 32 digits of hex, and unique.
  const traceId = trace?.traceId ?? call.requestId.replaceAll("-", "");
  const endMs = (call.endedMs ?? call.startedMs) + context.wallMinusMonotonicMs;
  const server: Span = {
    traceId,
    spanId: newSpanId(),
    parentSpanId: trace?.spanId ?? null,
    name: `POST ${context.path}`,
    kind: "server",
    startMs: call.startedMs + context.wallMinusMonotonicMs,
    endMs,
    attributes: serverAttributes(call, context),
    failed: call.status >= 500 || (call.status === 200 && isFailed(call)),
  };
  if (call.sentMs === null) return [server];
  const client: Span = {
    traceId,
    spanId: newSpanId(),
    parentSpanId: server.spanId,
    name: `${call.operation} ${call.target?.upstreamModel}`,
    kind: "client",
    startMs: call.sentMs + context.wallMinusMonotonicMs,
    endMs,
    attributes: clientAttributes(call),
    failed: isFailed(call),
  };
  return [server, client];
}

function isFailed({ code }: Observation): boolean {
  return code !== "200" && code !== "client_closed";
}

function serverAttributes(call: Observation, { path }: SpanContext): Attributes {
  return {
    "http.request.method": "POST",
    "http.route": path,
    "http.response.status_code": call.status,
    "error.type": isFailed(call) ? call.code : undefined,
    "inference_proxy.request_id": call.requestId,
    "inference_proxy.organization": call.key?.organizationId,
    "inference_proxy.key_prefix": call.key?.prefix,
  };
}

function clientAttributes(call: Observation): Attributes {
  const { target, used, firstChunkMs, sentMs } = call;
  const url = target === null ? null : new URL(target.url);
  const firstChunkS =
    firstChunkMs === null || sentMs === null ? undefined : (firstChunkMs - sentMs) / 1000;
  return {
    "gen_ai.operation.name": call.operation,
    "gen_ai.provider.name": target?.provider.genAiName,
    "gen_ai.request.model": target?.upstreamModel,
    "gen_ai.request.stream": call.stream,
    "gen_ai.request.max_tokens": call.outputTokensMax ?? undefined,
    "gen_ai.response.model": call.servedModel ?? undefined,
    "gen_ai.response.time_to_first_chunk": firstChunkS,
    "gen_ai.usage.input_tokens": used?.usage.inputTokens,
    "gen_ai.usage.output_tokens": used?.usage.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": used?.usage.cacheReadTokens,
    "gen_ai.usage.cache_creation.input_tokens": used?.usage.cacheWriteTokens,
    "gen_ai.usage.reasoning.output_tokens": used?.usage.reasoningTokens,
    "http.response.status_code": call.upstreamStatus ?? undefined,
    "error.type": isFailed(call) ? (call.upstreamFailure ?? call.code) : undefined,
    "server.address": url?.hostname,
    "server.port":
      url === null ? undefined : Number(url.port || (url.protocol === "https:" ? 443 : 80)),
  };
}
