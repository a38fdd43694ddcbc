import { UpstreamFault } from "../wire/translation.ts";
import type { Deps } from "./deps.ts";
import type { Flight } from "./flight.ts";
import type { OpenTarget } from "./target.ts";

/** Codes of errors that come before a request could reach the provider: nothing was generated. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "FailedToOpenSocket",
  // The TLS handshake failed.
  "EPROTO",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_UNTRUSTED",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
]);

/** The provider did not answer over HTTP at all. */
export class NoAnswer extends UpstreamFault {
  /** Whether the request may have reached the provider, and tokens may have been spent. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

export interface UpstreamRequest {
  readonly target: OpenTarget;
  readonly body: string;
  readonly stream: boolean;
}

/**
 * Sends a call to its provider. Headers are built here from what we know, never copied from the client.
 *
 * @returns The answer, whatever its status, once its headers have come.
 * @throws {NoAnswer} If the provider could not be reached or cut the connection.
 * @throws {ProxyError} `upstream_timeout` if it did not begin to answer in time.
 */
export async function forward(
  request: UpstreamRequest,
  flight: Flight,
  deps: Pick<Deps, "config" | "log">,
): Promise<Response> {
  const { target, body, stream } = request;
  flight.waitFor("headers", deps.config.upstreamHeadersTimeoutMs);
  try {
    return await fetch(target.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: stream ? "text/event-stream" : "application/json",
        "accept-encoding": "identity",
        "user-agent": "inference-proxy",
        ...target.connection.headers,
      },
      body,
      signal: flight.signal,
      // A redirect would carry the provider key and the prompt to wherever it points.
      redirect: "manual",
      decompress: false,
      proxy: false,
      timeout: false,
    } as RequestInit);
  } catch (error) {
    if (flight.signal.aborted) throw flight.signal.reason;
    const code = codeOf(error);
    const { provider, config } = target;
    deps.log.warn("cannot reach provider", {
      organization: config.organizationId,
      provider: provider.id,
      error: code,
    });
    throw new NoAnswer("Cannot reach the provider", !NOT_SENT.has(code));
  } finally {
    flight.waitFor("body", deps.config.upstreamIdleTimeoutMs);
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : "unknown";
}
