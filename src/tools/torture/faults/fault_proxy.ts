import {
  type RawRequest,
  type RawUpstream,
  startRawUpstream,
  type UpstreamConnection,
} from "../raw_upstream.ts";
import { asSent, captureAnswer, type CapturedAnswer } from "./captured_answer.ts";

/**
 * One thing that happens on the way back: bytes are sent, time passes, the connection ends on both sides, on the
 * side that sends, or by a reset. After the last step it stays as it is.
 */
export type Step = Uint8Array | { readonly waitMs: number } | "close" | "finish" | "reset";

/** Turns an answer into what is sent instead, perhaps without end. */
export type Steps = (answer: CapturedAnswer, request: RawRequest) => Iterable<Step>;

/** Stands between the proxy and the stand-in, and spoils answers. */
export class FaultProxy implements AsyncDisposable {
  /** What happens to the answer of a call, by its name. Others pass as they are. */
  readonly faults = new Map<string, Steps>();
  /** How connections end as soon as the head of a request is there; null if they do not. */
  early: "close" | "reset" | null = null;
  /** Resolves when the last answer that was spoilt has been sent as far as it is. */
  sent: Promise<void> = Promise.resolve();
  /** Whether the last answer that was spoilt came with the end of its connection. */
  hasEnded = false;
  readonly #upstreamPort: number;
  readonly #side: RawUpstream;

  private constructor(upstreamPort: number, side: RawUpstream) {
    this.#upstreamPort = upstreamPort;
    this.#side = side;
  }

  /** Starts a fault proxy in front of a port of loopback. */
  static async start(upstreamPort: number): Promise<FaultProxy> {
    const side = await startRawUpstream({
      serve: (request, connection) => proxy.#serve(request, connection),
      atHead: (connection) => proxy.#atHead(connection),
    });
    const proxy = new FaultProxy(upstreamPort, side);
    return proxy;
  }

  /** As `--allow-upstream` takes it. */
  get address(): string {
    return this.#side.address;
  }

  /** The models asked for so far, one for each request. */
  get arrivals(): readonly string[] {
    return this.#side.arrivals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#side[Symbol.asyncDispose]();
  }

  async #serve(request: RawRequest, connection: UpstreamConnection): Promise<void> {
    const answer = await captureAnswer(this.#upstreamPort, request.bytes);
    const steps = this.faults.get(request.model);
    if (steps === undefined) return connection.write(asSent(answer));
    this.hasEnded = false;
    this.sent = this.#spoil(steps(answer, request), connection);
    await this.sent;
  }

  async #spoil(steps: Iterable<Step>, connection: UpstreamConnection): Promise<void> {
    for (const step of steps) {
      if (connection.isClosed) return;
      if (step instanceof Uint8Array) await connection.write(step);
      else if (typeof step === "string") this.#end(step, connection);
      else await pause(step.waitMs);
    }
  }

  #end(how: "close" | "finish" | "reset", connection: UpstreamConnection): void {
    this.hasEnded = true;
    connection[how]();
  }

  #atHead(connection: UpstreamConnection): boolean {
    if (this.early === null) return false;
    connection[this.early]();
    return true;
  }
}

/** Without a time, waits only until what was written has left. */
function pause(waitMs: number): Promise<unknown> {
  return waitMs === 0 ? new Promise((resolve) => setImmediate(resolve)) : Bun.sleep(waitMs);
}
