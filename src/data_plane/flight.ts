import { ProxyError } from "../domain/errors.ts";
import type { Ending } from "../domain/hold.ts";
import type { Deps } from "./deps.ts";
import { ShutdownError } from "./in_flight.ts";
import type { Beat } from "./pulse.ts";
import type { Slot } from "./slots.ts";

/** How long a client may leave what it was sent unread, in milliseconds: meanwhile the provider waits and bills. */
const CLIENT_STALL_MS = 60_000;

/** The client went away before its answer was complete. */
export class ClientClosedError extends Error {
  constructor() {
    super("Cannot finish call: the client closed the connection");
  }
}

/**
 * One call in flight: a single signal that ends everything done for it, whoever gives it up first: the
 * client by hanging up, the provider by silence, the proxy by shutting down.
 */
export class Flight {
  readonly #deps: Pick<Deps, "clock" | "inFlight" | "pulse">;
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #slot: Slot;
  readonly #hangUp = () => this.#controller.abort(new ClientClosedError());
  readonly #beat: Beat = (nowMs) => this.#look(nowMs);
  #waitingFor = "answer";
  #limitMs = Number.POSITIVE_INFINITY;
  #sinceMs = 0;
  #answerEndsMs = Number.POSITIVE_INFINITY;
  #clientStalls = false;

  /** Begins the flight of a call. Whoever begins it ends it. @throws {ProxyError} If the proxy is stopping. */
  constructor(client: AbortSignal, slot: Slot, deps: Pick<Deps, "clock" | "inFlight" | "pulse">) {
    deps.inFlight.add(this.#controller);
    this.#deps = deps;
    this.#client = client;
    this.#slot = slot;
    client.addEventListener("abort", this.#hangUp);
    if (client.aborted) this.#hangUp();
    deps.pulse.add(this.#beat);
  }

  /** Aborted with the reason when somebody gave up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the provider this long for the next thing. */
  waitFor(what: string, limitMs: number): void {
    this.#waitingFor = what;
    this.#limitMs = limitMs;
    this.heard();
  }

  /** Gives the provider this long for all of its answer, from now on. */
  answerBegins(limitMs: number): void {
    this.#answerEndsMs = this.#deps.clock.monotonicMs() + limitMs;
  }

  /** Notes that the client does not take what it is sent: if it stays so, it is the one that is given up. */
  clientStalls(): void {
    this.#clientStalls = true;
  }

  /** Notes that the provider sent something, or that the client took something. Returns the time. */
  heard(): number {
    this.#clientStalls = false;
    this.#sinceMs = this.#deps.clock.monotonicMs();
    return this.#sinceMs;
  }

  end(): void {
    this.#client.removeEventListener("abort", this.#hangUp);
    this.#deps.inFlight.remove(this.#controller);
    this.#slot.leave();
    this.#deps.pulse.remove(this.#beat);
  }

  #look(nowMs: number): void {
    const silentMs = nowMs - this.#sinceMs;
    if (this.#clientStalls) {
      if (silentMs >= CLIENT_STALL_MS) this.#controller.abort(new ClientClosedError());
    } else if (silentMs >= this.#limitMs) {
      const what = `sent no ${this.#waitingFor} within ${this.#limitMs / 1000} s`;
      this.#controller.abort(upstreamTimeout(what));
    }
    if (nowMs >= this.#answerEndsMs) {
      this.#controller.abort(upstreamTimeout("did not come to the end of its answer in time"));
    }
  }
}

/** Returns how a call ended that an error ended. */
export function endingOf(error: unknown): Ending {
  if (error instanceof ClientClosedError) return "client_closed";
  return error instanceof ShutdownError ? "shutdown" : "upstream_failed";
}

/** Says that the provider took too long. Tokens may have been spent, so nobody should just try again. */
function upstreamTimeout(what: string): ProxyError {
  return new ProxyError("upstream_timeout", `Cannot finish call: the provider ${what}`, {
    headers: { "x-should-retry": "false" },
  });
}
