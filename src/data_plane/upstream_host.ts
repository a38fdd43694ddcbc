import { hostPort } from "../domain/base_url.ts";
import type { Clock } from "../std/clock.ts";
import type { HostLookup } from "../std/host_lookup.ts";
import { parseIpAddress } from "../std/ip_address.ts";
import { type IpScope, ipScope } from "../std/ip_scope.ts";
import type { Log } from "../std/log.ts";

/** How long an answer of the name servers is taken as it is, in milliseconds. Then it is asked for anew, beside the calls. */
const FRESH_MS = 30_000;

/** How long addresses are used while name servers do not answer, in milliseconds. */
const KEPT_MS = 600_000;

/** How long a failed lookup stands, in milliseconds: calls that come meanwhile do not ask again. */
const FAILED_MS = 1_000;

/** A host has an address that calls must not go to. */
export class AddressRefusedError extends Error {
  readonly address: string;
  readonly scope: IpScope;

  constructor(address: string, scope: IpScope) {
    super("Cannot use host: it has an address that calls must not go to");
    this.address = address;
    this.scope = scope;
  }
}

export interface UpstreamHostOptions {
  /** What the operator named, as `host:port`: those hosts may be in a private network. */
  readonly allowedUpstreams: ReadonlySet<string>;
  readonly lookup: HostLookup;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A host that calls go to. Its addresses are looked up and judged here, and calls are sent to an address:
 * nobody looks the name up again when connecting, so nobody can answer differently then.
 */
export class UpstreamHost {
  /** Its name as the log says it, with the port if it is not the usual one. */
  readonly name: string;
  /** As the operator names it. */
  readonly hostPort: string;
  /** What its URLs begin with, such as `https://api.example.com:8443`. */
  readonly origin: string;
  /** The `host` header; none if the host is an address already. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whose certificate is asked for. It is checked whatever the environment says. Undefined without TLS. */
  readonly tls: { readonly serverName?: string; readonly rejectUnauthorized: true } | undefined;
  readonly #url: URL;
  readonly #isAddress: boolean;
  readonly #options: UpstreamHostOptions;
  /** Each address as an origin, the one that is used at `#at`. */
  #origins: readonly string[] = [];
  #at = 0;
  #freshUntilMs = 0;
  #keptUntilMs = 0;
  /** The last lookup, and until when nobody begins another. */
  #lookup: Promise<string> | null = null;
  #lookupUntilMs = 0;

  constructor(url: URL, options: UpstreamHostOptions) {
    this.name = url.host;
    this.hostPort = hostPort(url);
    this.origin = url.origin;
    this.#url = url;
    this.#options = options;
    this.#isAddress = parseIpAddress(bare(url.hostname)) !== null;
    const name = this.#isAddress ? {} : { serverName: url.hostname };
    this.tls = url.protocol === "https:" ? { ...name, rejectUnauthorized: true } : undefined;
    this.headers = this.#isAddress ? {} : { host: url.host };
    // An address is what it is, so no call waits for it.
    if (this.#isAddress) this.find().catch(() => {});
  }

  /** Returns the origin to send to, with an address for a host; null if `find` has to be awaited. */
  current(): string | null {
    if (!this.#isAddress) {
      const nowMs = this.#options.clock.monotonicMs();
      if (nowMs >= this.#keptUntilMs) return null;
      if (nowMs >= this.#freshUntilMs && nowMs >= this.#lookupUntilMs) this.#refresh();
    }
    return this.#origins[this.#at] ?? null;
  }

  /**
   * Looks the host up, once for all that ask at the same time.
   *
   * @returns The origin to send to.
   * @throws {AddressRefusedError} If any of its addresses must not be called.
   * @throws What the lookup throws.
   */
  find(): Promise<string> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#lookup === null || nowMs >= this.#lookupUntilMs) {
      // Until it has ended, however that is.
      this.#lookupUntilMs = Number.POSITIVE_INFINITY;
      this.#lookup = this.#find();
    }
    return this.#lookup;
  }

  /**
   * Moves on from an address that could not be reached.
   *
   * @returns Another; null if there is none, and the host will be looked up anew.
   */
  another(failed: string): string | null {
    // Another call may have moved on already.
    if (this.#origins[this.#at] === failed) this.#at += 1;
    const next = this.#origins[this.#at];
    if (next === undefined) this.#forget();
    return next ?? null;
  }

  async #find(): Promise<string> {
    const { lookup, clock } = this.#options;
    const name = bare(this.#url.hostname);
    try {
      const addresses = this.#isAddress ? [name] : await lookup(name);
      const [first, ...others] = this.#judged(addresses);
      if (first === undefined) throw new NoAddressError();
      return this.#use([first, ...others]);
    } catch (error) {
      this.#lookupUntilMs = clock.monotonicMs() + FAILED_MS;
      // What was fine a moment ago is not what the name stands for now.
      if (error instanceof AddressRefusedError) this.#forget();
      throw error;
    }
  }

  #judged(addresses: readonly string[]): string[] {
    const named = this.#options.allowedUpstreams.has(this.hostPort);
    for (const address of addresses) {
      const bytes = parseIpAddress(address);
      const scope = bytes === null ? "never" : ipScope(bytes);
      if (scope === "public" || (scope === "private" && named)) continue;
      throw new AddressRefusedError(address, scope);
    }
    return inTurns(addresses).map((address) => this.#originAt(address));
  }

  /** Takes new addresses, and stays with the one in use if it is among them: its connections are open. */
  #use(origins: readonly [string, ...string[]]): string {
    const nowMs = this.#options.clock.monotonicMs();
    this.#at = Math.max(0, origins.indexOf(this.#origins[this.#at] ?? ""));
    this.#origins = origins;
    this.#freshUntilMs = nowMs + FRESH_MS;
    this.#keptUntilMs = nowMs + KEPT_MS;
    this.#lookupUntilMs = nowMs;
    return origins[this.#at] ?? origins[0];
  }

  #forget(): void {
    this.#origins = [];
    this.#at = 0;
    this.#keptUntilMs = 0;
  }

  #refresh(): void {
    this.find().catch((error) => {
      // A refusal is told by the next call, which it ends.
      if (error instanceof AddressRefusedError) return;
      const { log } = this.#options;
      log.warn("cannot look host up again", { host: this.name, error: errorCode(error) });
    });
  }

  #originAt(address: string): string {
    const { protocol, port } = this.#url;
    const host = address.includes(":") ? `[${address}]` : address;
    return `${protocol}//${host}${port === "" ? "" : `:${port}`}`;
  }
}

class NoAddressError extends Error {
  readonly code = "ENOTFOUND";

  constructor() {
    super("Cannot find host: it has no address");
  }
}

/** Returns what an error of the system is called, for the log. */
export function errorCode(error: unknown): string {
  if (error instanceof AddressRefusedError) return "address_refused";
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : "unknown";
}

/** Returns a host as name servers know it: IPv6 addresses stand in brackets in URLs. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/**
 * Orders addresses by turns of IPv4 and IPv6, so that the second is worth a try if the first is out of reach.
 * IPv4 begins: where it is missing that shows at once, a broken IPv6 shows by silence.
 */
function inTurns(addresses: readonly string[]): string[] {
  const all = [...new Set(addresses)];
  const v4 = all.filter((address) => !address.includes(":"));
  const v6 = all.filter((address) => address.includes(":"));
  const longest = Math.max(v4.length, v6.length);
  const turns = Array.from({ length: longest }, (_, at) => [v4[at], v6[at]]).flat();
  return turns.filter((address) => address !== undefined);
}
