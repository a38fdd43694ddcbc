import type { Socket } from "bun";
import { AnswerReader } from "./answer_reader.ts";
import type { LoadPlan } from "./load_plan.ts";

/** What connections of one run share. */
export interface LoadRun {
  readonly expected: LoadPlan["expected"];
  /** Returns the bytes of the next request, or null if the connection has made its last. */
  next(connection: LoadConnection): Buffer | null;
  answered(startedMs: number, firstMs: number, nowMs: number): void;
  failed(why: string): void;
  closed(): void;
}

/** One connection of the load generator: a request, its whole answer, the next request. */
export class LoadConnection {
  /** The requests made so far. */
  requests = 0;
  readonly #run: LoadRun;
  #socket: Socket<LoadConnection> | null = null;
  #reader = new AnswerReader();
  #unsent: Buffer | null = null;
  #startedMs = 0;
  #firstMs = 0;
  #idle = true;

  constructor(run: LoadRun) {
    this.#run = run;
  }

  /** Connects, and resolves when the connection is there. No request is made yet. */
  async open(port: number): Promise<void> {
    this.#socket = await Bun.connect<LoadConnection>({
      hostname: "127.0.0.1",
      port,
      data: this,
      socket: {
        data: (socket, piece) => socket.data.#received(piece),
        drain: (socket) => socket.data.#flush(),
        close: (socket) => socket.data.#closed(),
        error: (socket, error) => socket.data.#fail(error.message),
      },
    });
  }

  /** Makes the next request, if there is one. */
  start(): void {
    const request = this.#run.next(this);
    if (request === null || this.#socket === null) {
      this.#socket?.end();
      return;
    }
    this.requests += 1;
    this.#idle = false;
    this.#firstMs = 0;
    this.#reader = new AnswerReader();
    this.#startedMs = performance.now();
    this.#unsent = request;
    this.#flush();
  }

  /** Drops the connection, whatever it waits for. */
  abandon(): void {
    this.#idle = true;
    this.#socket?.terminate();
  }

  #flush(): void {
    if (this.#unsent === null || this.#socket === null) return;
    const written = Math.max(0, this.#socket.write(this.#unsent));
    this.#unsent = written === this.#unsent.length ? null : this.#unsent.subarray(written);
  }

  #received(piece: Buffer): void {
    try {
      this.#reader.push(piece);
    } catch (error) {
      return this.#fail(String(error));
    }
    const { status, bodyBytes, complete } = this.#reader;
    if (this.#firstMs === 0 && bodyBytes > 0) this.#firstMs = performance.now();
    if (status !== 0 && status !== 200) return this.#fail(`status ${status}: ${piece.toString()}`);
    if (complete) this.#finish();
  }

  #finish(): void {
    const nowMs = performance.now();
    const { bodyBytes, tail } = this.#reader;
    const { bodyBytesMin, tail: tailExpected } = this.#run.expected;
    if (bodyBytes < bodyBytesMin) {
      return this.#fail(`a body of ${bodyBytes} bytes, expected ${bodyBytesMin}`);
    }
    if (tail !== tailExpected) return this.#fail(`a body that ends with ${JSON.stringify(tail)}`);
    this.#idle = true;
    this.#run.answered(this.#startedMs, this.#firstMs, nowMs);
    this.start();
  }

  #fail(why: string): void {
    this.#run.failed(why);
    this.abandon();
  }

  #closed(): void {
    if (!this.#idle) this.#run.failed("the connection was closed before the end of its answer");
    this.#idle = true;
    this.#run.closed();
  }
}
