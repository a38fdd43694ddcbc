import type { Socket } from "bun";
import { AnswerReader } from "../bench/answer_reader.ts";

/** Where a connection goes, and from which address of loopback it comes. */
export interface RawPlace {
  readonly port: number;
  readonly localAddress?: string;
}

/** Bounds what is kept of an answer's body, in characters. */
const TEXT_CHARS_MAX = 1 << 20;

/** One connection on which requests are written byte by byte, and one answer is read. */
export class RawClient {
  #socket: Socket<RawClient> | null = null;
  readonly #reader: AnswerReader;
  readonly #onBody: ((bytes: Buffer) => void) | null;
  readonly #waiting = new Set<() => void>();
  #unsent: Buffer | null = null;
  #text = "";
  #closed = false;
  #oddity: string | null = null;

  private constructor(onBody: ((bytes: Buffer) => void) | null) {
    this.#onBody = onBody;
    this.#reader = new AnswerReader((bytes) => this.#body(bytes));
  }

  /**
   * Connects.
   *
   * @param onBody Takes the answer's body as it arrives; otherwise it is kept as text.
   */
  static async connect(
    place: RawPlace,
    onBody: ((bytes: Buffer) => void) | null = null,
  ): Promise<RawClient> {
    const client = new RawClient(onBody);
    await Bun.connect<RawClient>({
      hostname: "127.0.0.1",
      ...place,
      data: client,
      socket: {
        open: (socket) => {
          socket.data.#socket = socket;
        },
        data: (socket, piece) => socket.data.#received(piece),
        drain: (socket) => socket.data.#flush(),
        close: (socket) => socket.data.#close(),
        error: (socket) => socket.data.#close(),
        end: (socket) => void socket.end(),
      },
    });
    return client;
  }

  /** The status of the answer; 0 while there is none. */
  get status(): number {
    return this.#reader.status;
  }

  /** Whether all of the answer is there. */
  get complete(): boolean {
    return this.#reader.complete;
  }

  /** Whether the other side, or this one, has ended the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What is odd about the answer as one of HTTP; null if nothing is. */
  get oddity(): string | null {
    return this.#oddity;
  }

  /** What there is of the answer's body. */
  get text(): string {
    return this.#text;
  }

  get bodyBytes(): number {
    return this.#reader.bodyBytes;
  }

  /** Writes behind what was written before. */
  send(bytes: Uint8Array | string): void {
    const added = Buffer.from(bytes);
    this.#unsent = this.#unsent === null ? added : Buffer.concat([this.#unsent, added]);
    this.#flush();
  }

  /** Reads nothing more, so that the other side finds its buffers full. */
  stall(): void {
    this.#socket?.pause();
  }

  /** Ends the connection: by a reset, or as a program does that has gone. */
  hangUp(how: "reset" | "close"): void {
    this.#closed = true;
    if (how === "reset") this.#socket?.terminate();
    else this.#socket?.end();
    this.#tell();
  }

  /** Resolves with whether the condition came to hold, before the connection ended and the time was over. */
  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (holds: boolean) => {
        this.#waiting.delete(look);
        clearTimeout(timer);
        resolve(holds);
      };
      const look = () => {
        if (condition()) end(true);
        else if (this.#closed) end(false);
      };
      const timer = setTimeout(() => end(condition()), limitMs);
      this.#waiting.add(look);
      look();
    });
  }

  #flush(): void {
    if (this.#unsent === null || this.#socket === null) return;
    const written = Math.max(0, this.#socket.write(this.#unsent));
    this.#unsent = written === this.#unsent.length ? null : this.#unsent.subarray(written);
  }

  #received(piece: Buffer): void {
    try {
      if (this.#oddity === null) this.#reader.push(piece);
    } catch (error) {
      this.#oddity = error instanceof Error ? error.message : String(error);
    }
    this.#tell();
  }

  #body(bytes: Buffer): void {
    if (this.#onBody !== null) this.#onBody(bytes);
    else if (this.#text.length < TEXT_CHARS_MAX) this.#text += bytes.toString("latin1");
  }

  #close(): void {
    this.#closed = true;
    this.#tell();
  }

  #tell(): void {
    for (const look of this.#waiting) look();
  }
}
