/** Bounds a base URL, in characters. */
const BASE_URL_CHARS_MAX = 1000;

/** Where provider keys may be sent. */
export interface BaseUrlRules {
  /** The provider's hosts: an exact name, or `*.` and a suffix. */
  readonly hosts: readonly string[];
  /** Further `host:port` that the operator named; there plain http, ports and IP addresses are fine. */
  readonly allowedUpstreams: ReadonlySet<string>;
  /** Whether the URL may end in `?api-version=...`. */
  readonly allowsApiVersion: boolean;
}

/** A base URL that provider keys must not be sent to. Its message says why, and may be shown. */
export class BaseUrlError extends Error {
  constructor(why: string) {
    super(`Cannot use base URL: ${why}`);
  }
}

/**
 * Parses and judges the base URL of a provider config.
 *
 * @returns It in one spelling, without a trailing slash: `https://api.example.com/v1`.
 * @throws {BaseUrlError} If it is malformed, or names a host that neither the provider nor the operator knows.
 */
export function parseBaseUrl(text: string, rules: BaseUrlRules): string {
  const url = parse(text);
  if (url.username !== "" || url.password !== "" || text.includes("@"))
    throw new BaseUrlError("it must not carry a user or password");
  if (text.includes("#")) throw new BaseUrlError("it must not have a fragment");
  const operatorsHost = rules.allowedUpstreams.has(hostPort(url));
  if (!operatorsHost) requireKnownHost(url, rules.hosts);
  return `${url.protocol}//${url.host}${path(url)}${query(text, url, rules.allowsApiVersion)}`;
}

function parse(text: string): URL {
  if (text.length > BASE_URL_CHARS_MAX)
    throw new BaseUrlError(`it is longer than ${BASE_URL_CHARS_MAX} characters`);
  // A parser drops white space and turns backslashes into slashes: what was judged would not be what was written.
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes("\\"))
    throw new BaseUrlError("it must be visible ASCII without backslashes");
  if (!/^https?:\/\/[^/]/i.test(text)) throw new BaseUrlError("it must begin with https://");
  const url = URL.parse(text);
  if (url === null) throw new BaseUrlError("it is malformed");
  return url;
}

/** Returns where a URL leads, as `host:port`, its port always included. */
export function hostPort(url: URL): string {
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return `${url.hostname}:${port}`;
}

function requireKnownHost(url: URL, hosts: readonly string[]): void {
  const host = url.hostname;
  if (!hosts.some((known) => matchesHost(host, known))) {
    throw new BaseUrlError(
      `host "${host}" is not one of this provider's (${hosts.join(", ")}); the operator can allow it with --allow-upstream ${hostPort(url)}`,
    );
  }
  if (url.protocol !== "https:") throw new BaseUrlError("it must begin with https://");
  if (url.port !== "") throw new BaseUrlError(`port ${url.port} must be allowed by the operator`);
}

/** Whether a parsed host is the name, or ends in the suffix behind `*.` with at least one label before it. */
function matchesHost(host: string, known: string): boolean {
  if (!known.startsWith("*.")) return host === known;
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(host) && host.endsWith(known.slice(1));
}

function path(url: URL): string {
  const trimmed = url.pathname.replace(/\/$/, "");
  if (!/^(\/[A-Za-z0-9._~:-]+)*$/.test(trimmed))
    throw new BaseUrlError("its path may have letters, digits and . _ ~ : - only");
  return trimmed;
}

function query(text: string, url: URL, allowsApiVersion: boolean): string {
  if (!text.includes("?")) return "";
  const version = /^\?api-version=([A-Za-z0-9.-]{1,64})$/.exec(url.search)?.[1];
  if (!allowsApiVersion) throw new BaseUrlError("it must not have a query");
  if (version === undefined)
    throw new BaseUrlError('its query may be "api-version=..." and nothing else');
  return `?api-version=${version}`;
}
