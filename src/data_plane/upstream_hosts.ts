import { BoundedMap } from "../std/bounded_map.ts";
import { UpstreamHost, type UpstreamHostOptions } from "./upstream_host.ts";

/** Bounds the hosts kept in memory; others are looked up again when they are called. */
const MAX_HOSTS = 10_000;

/** The hosts that calls go to, by base URL. */
export class UpstreamHosts {
  readonly #hosts = new BoundedMap<string, UpstreamHost>(MAX_HOSTS);
  readonly #options: UpstreamHostOptions;

  constructor(options: UpstreamHostOptions) {
    this.#options = options;
  }

  /** Returns the host of a base URL. Nothing is looked up yet. */
  of(baseUrl: string): UpstreamHost {
    const known = this.#hosts.get(baseUrl);
    if (known !== undefined) return known;
    const host = new UpstreamHost(new URL(baseUrl), this.#options);
    this.#hosts.set(baseUrl, host);
    return host;
  }
}
