import { type Endpoint, makeCall } from "./client.ts";

/** Clients that call one after the other until they are stopped, or until nobody answers. */
export class Callers {
  readonly #endpoint: Endpoint;
  readonly #faults: string[] = [];
  readonly #running: Promise<void>;
  readonly #tookMs: number[] = [];
  #lost = 0;
  #stopped = false;

  constructor(endpoint: Endpoint, clients: number) {
    this.#endpoint = endpoint;
    const names = Array.from({ length: clients }, (_, index) => `c${index}`);
    this.#running = Promise.all(names.map((name) => this.#callOn(name))).then(() => {});
  }

  /** How many calls were answered as they should. */
  get served(): number {
    return this.#tookMs.length;
  }

  /** How long each of them took, in milliseconds. */
  get tookMs(): readonly number[] {
    return this.#tookMs;
  }

  /**
   * Stops them and says which calls were answered otherwise.
   *
   * @param wasAlive Whether the server lived all the time: then no call may be without an answer.
   */
  async stop(wasAlive: boolean): Promise<string[]> {
    this.#stopped = true;
    await this.#running;
    const lost = wasAlive && this.#lost > 0 ? [`${this.#lost} calls had no answer`] : [];
    return [...this.#faults, ...lost];
  }

  async #callOn(name: string): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      const call = { model: `${name}-${number}`, operation: "chat", stream: false } as const;
      const startMs = performance.now();
      const { status, code, complete } = await makeCall(this.#endpoint, call);
      if (complete) this.#tookMs.push(performance.now() - startMs);
      else if (status === null || status === 200) return void (this.#lost += 1);
      else this.#faults.push(`a call was answered ${status} ${code}`);
    }
  }
}
