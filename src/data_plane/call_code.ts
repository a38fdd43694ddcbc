import { type ErrorCode, ProxyError } from "../domain/errors.ts";
import { isDatabaseTrouble } from "../store/sqlite.ts";
import { UpstreamFault } from "../wire/translation.ts";
import { ClientClosedError } from "./flight.ts";
import { NoAnswer } from "./forward.ts";
import { ShutdownError } from "./in_flight.ts";
import { UpstreamRefused } from "./upstream_refusal.ts";

/** How a call is counted: answered, given up by its client, or failed with one of our codes. A closed set. */
export type CallCode = "200" | "client_closed" | ErrorCode;

/**
 * Returns the code under which a failed call is counted: what its client was told, if it was told.
 *
 * @param begun Whether the answer had begun.
 */
export function callCode(error: unknown, begun: boolean): CallCode {
  if (error instanceof ProxyError) return error.code;
  if (error instanceof ClientClosedError) return "client_closed";
  if (error instanceof ShutdownError) return "shutting_down";
  if (error instanceof UpstreamFault && error.interrupted && begun)
    return "upstream_stream_interrupted";
  if (error instanceof UpstreamFault || error instanceof UpstreamRefused) return "upstream_error";
  return isDatabaseTrouble(error) ? "overloaded" : "internal_error";
}

/** Returns what the provider did wrong: its status, or a word where it gave none; null if it was not the provider. */
export function upstreamFailure(error: unknown): string | null {
  if (error instanceof UpstreamRefused) return String(error.refusal.status ?? "fault");
  if (error instanceof ProxyError) return error.code === "upstream_timeout" ? "timeout" : null;
  if (!(error instanceof UpstreamFault)) return null;
  if (error instanceof NoAnswer) return "unreachable";
  return error.interrupted ? "interrupted" : String(error.status ?? "fault");
}
