import { UpstreamFault } from "../wire/translation.ts";
import type { Connection } from "./connections.ts";
import type { Deps } from "./deps.ts";
import type { Flight } from "./flight.ts";
import type { OpenTarget } from "./target.ts";
import { AddressRefusedError, errorCode, type UpstreamHost } from "./upstream_host.ts";

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
  /** Where the target's host is, as it or `findHost` says. */
  readonly origin: string;
  readonly body: string;
  readonly stream: boolean;
}

/**
 * Waits until a host is looked up, but no longer than its call. Nothing is sent yet.
 *
 * @returns The origin to send to, with an address for a host.
 * @throws {NoAnswer} If the host has no address, or one that calls must not go to.
 */
export async function findHost(
  target: OpenTarget,
  flight: Flight,
  deps: Pick<Deps, "config" | "log">,
): Promise<string> {
  const { signal } = flight;
  flight.waitFor("headers", deps.config.upstreamHeadersTimeoutMs);
  try {
    return await findOrigin(target.host, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    warn(error, target, deps);
    throw new NoAnswer("Cannot reach the provider", false);
  }
}

/** Looks a host up, unless it is given up meanwhile: then it throws why. */
async function findOrigin(host: UpstreamHost, signal: AbortSignal): Promise<string> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = () => givenUp.reject(signal.reason);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([host.find(), givenUp.promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/**
 * Sends a call to its provider.
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
  const { target, origin } = request;
  flight.waitFor("headers", deps.config.upstreamHeadersTimeoutMs);
  try {
    return await send(request, origin, flight.signal);
  } catch (error) {
    const failure = failureOf(error, target, flight, deps);
    const other = canMoveOn(error) ? target.host.another(origin) : null;
    // The same bytes go to the same host once more, at most: nothing of them was sent.
    if (failure.sent || other === null) throw failure;
    return await send(request, other, flight.signal).catch((again) => {
      if (canMoveOn(again)) target.host.another(other);
      throw failureOf(again, target, flight, deps);
    });
  } finally {
    flight.waitFor("body", deps.config.upstreamIdleTimeoutMs);
  }
}

/** @param origin Where the host is: its address was checked, and nothing is looked up any more. */
function send(
  { target, body, stream }: UpstreamRequest,
  origin: string,
  signal: AbortSignal,
): Promise<Response> {
  const { host, connection } = target;
  return leave(origin + target.url.slice(host.origin.length), host, {
    method: "POST",
    headers: connection.headers.ofCall(host, stream),
    body,
    signal,
  });
}

/** Something that a provider is asked beside calls: it costs nothing, and brings nothing along but the key. */
export interface Question {
  /** Below the base URL of the host. */
  readonly url: string;
  readonly host: UpstreamHost;
  readonly connection: Connection;
  /** Is told which address is asked, once that is known. */
  readonly onOrigin: (origin: string) => void;
}

/**
 * Asks a provider something. The host is looked up anew; if it cannot be reached at one address, another is tried.
 *
 * @returns The answer, whatever its status, once its headers have come.
 * @throws {AddressRefusedError} If the host has an address that calls must not go to.
 * @throws What looking up, connecting or the signal throws.
 */
export async function ask(question: Question, signal: AbortSignal): Promise<Response> {
  const { host, onOrigin } = question;
  const origin = await findOrigin(host, signal);
  onOrigin(origin);
  try {
    return await sendQuestion(question, origin, signal);
  } catch (error) {
    const other = !signal.aborted && canMoveOn(error) ? host.another(origin) : null;
    if (other === null) throw error;
    onOrigin(other);
    return sendQuestion(question, other, signal);
  }
}

function sendQuestion(
  { url, host, connection }: Question,
  origin: string,
  signal: AbortSignal,
): Promise<Response> {
  return leave(origin + url.slice(host.origin.length), host, {
    method: "GET",
    headers: connection.headers.ofQuestion(host),
    signal,
  });
}

/** What differs between requests. */
interface Leaving {
  readonly method: "POST" | "GET";
  readonly headers: Headers;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** The one way out. */
function leave(
  url: string,
  { tls }: UpstreamHost,
  { method, headers, body, signal }: Leaving,
): Promise<Response> {
  return fetch(url, {
    method,
    headers,
    body,
    signal,
    tls,
    // A redirect would carry the provider key and the prompt to wherever it points.
    redirect: "manual",
    decompress: false,
    // The environment can name a proxy, which would be shown everything.
    proxy: false,
    // The environment can ask for requests to be printed, provider keys included.
    verbose: false,
    timeout: false,
  } as RequestInit);
}

/** Whether a connection did not come about, so that another address of the host may be worth a try. */
function canMoveOn(error: unknown): boolean {
  const code = errorCode(error);
  // Time runs out when connecting, but not only then: it may have been sent.
  return NOT_SENT.has(code) || code === "ETIMEDOUT";
}

function failureOf(
  error: unknown,
  target: OpenTarget,
  { signal }: Flight,
  deps: Pick<Deps, "log">,
): NoAnswer {
  if (signal.aborted) throw signal.reason;
  warn(error, target, deps);
  return new NoAnswer("Cannot reach the provider", !NOT_SENT.has(errorCode(error)));
}

function warn(error: unknown, target: OpenTarget, { log }: Pick<Deps, "log">): void {
  const { provider, config, host } = target;
  log.warn("cannot reach provider", {
    organization: config.organizationId,
    provider: provider.id,
    host: host.name,
    error: errorCode(error),
    ...(error instanceof AddressRefusedError ? whyRefused(error, host) : {}),
  });
}

function whyRefused({ address, scope }: AddressRefusedError, host: OpenTarget["host"]) {
  const fix = `if its address is meant, start with --allow-upstream ${host.hostPort}`;
  return scope === "private" ? { address, scope, fix } : { address, scope };
}
