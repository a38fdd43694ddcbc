import type { UpstreamHost } from "./upstream_host.ts";

/** What every request says, whatever it is about. */
const COMMON = { "accept-encoding": "identity", "user-agent": "inference-proxy" };

/** The headers of calls to one host. */
interface CallHeaders {
  readonly whole: Headers;
  readonly stream: Headers;
}

/**
 * The headers of requests to a provider, built from what we know and never copied from a client. Those of calls
 * are made once for each host: to make them takes a quarter of the time in which a request is sent.
 */
export class ProviderHeaders {
  readonly #own: Readonly<Record<string, string>>;
  readonly #calls = new WeakMap<UpstreamHost, CallHeaders>();

  /** @param own What presents the provider key, and what else the provider asks for. */
  constructor(own: Readonly<Record<string, string>>) {
    this.#own = own;
  }

  /** Returns the headers of a call that asks for a whole answer or a stream: the same each time, for nobody to change. */
  ofCall(host: UpstreamHost, stream: boolean): Headers {
    let made = this.#calls.get(host);
    if (made === undefined) {
      made = {
        whole: this.#ofCall(host, "application/json"),
        stream: this.#ofCall(host, "text/event-stream"),
      };
      this.#calls.set(host, made);
    }
    return stream ? made.stream : made.whole;
  }

  /** Returns the headers of a request that has no body. */
  ofQuestion(host: UpstreamHost): Headers {
    return new Headers({ accept: "application/json", ...COMMON, ...host.headers, ...this.#own });
  }

  #ofCall(host: UpstreamHost, accept: string): Headers {
    const type = { "content-type": "application/json", accept };
    return new Headers({ ...type, ...COMMON, ...host.headers, ...this.#own });
  }
}
