import { ProxyError } from "../domain/errors.ts";

/** The calls being served, so that a stop can wait for them and then end what is left. */
export class InFlight {
  readonly #calls = new Set<AbortController>();
  #draining = false;
  #empty: PromiseWithResolvers<void> | null = null;

  get count(): number {
    return this.#calls.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** @throws {ProxyError} If no new call is taken any more. */
  mustTakeCalls(): void {
    if (!this.#draining) return;
    throw new ProxyError("shutting_down", "Cannot take call: the proxy is shutting down", {
      headers: { "retry-after": "1" },
    });
  }

  /** Counts a call until it is removed. @throws {ProxyError} If no new call is taken any more. */
  add(call: AbortController): void {
    this.mustTakeCalls();
    this.#calls.add(call);
  }

  remove(call: AbortController): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#empty?.resolve();
  }

  /** Takes no new calls from now on, and resolves when the last one has ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#calls.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Ends every call that is left. */
  endAll(): void {
    for (const call of this.#calls) call.abort(new ShutdownError());
  }
}

/** Why a call was ended by the proxy itself. */
export class ShutdownError extends Error {
  constructor() {
    super("Cannot finish call: the proxy is shutting down");
  }
}
