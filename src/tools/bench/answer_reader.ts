/** How many bytes of the end of a body are kept: `data: [DONE]` and its blank line. */
export const TAIL_BYTES = 14;

type State = "head" | "length" | "chunk size" | "chunk" | "complete";

/**
 * Reads one HTTP/1.1 answer from the pieces of a connection, and keeps only what tells whether it is whole:
 * status, length and last bytes of the body. It must cost less than what it helps to measure.
 */
export class AnswerReader {
  status = 0;
  bodyBytes = 0;
  #state: State = "head";
  #carry = "";
  #remaining = 0;
  #last = false;
  #tail = "";
  readonly #onBody: ((bytes: Buffer) => void) | null;

  /** @param onBody Called with each part of the body, for whoever wants more than to know that it is whole. */
  constructor(onBody: ((bytes: Buffer) => void) | null = null) {
    this.#onBody = onBody;
  }

  get complete(): boolean {
    return this.#state === "complete";
  }

  /** The last bytes of the body, as latin1. */
  get tail(): string {
    return this.#tail;
  }

  /** Takes what arrived. @throws {SyntaxError} If it is no answer, or goes on behind its end. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) at = this.#take(piece, at);
  }

  /** Takes what the state waits for, and returns where the rest begins. */
  #take(piece: Buffer, at: number): number {
    switch (this.#state) {
      case "head":
        return this.#takeHead(piece, at);
      case "length":
        return this.#takeBody(piece, at);
      case "chunk size":
        return this.#takeSize(piece, at);
      case "chunk":
        return this.#takeChunk(piece, at);
      case "complete":
        throw new SyntaxError("Cannot read answer: bytes follow its end");
    }
  }

  #takeHead(piece: Buffer, at: number): number {
    const before = this.#carry.length;
    this.#carry += piece.toString("latin1", at);
    const end = this.#carry.indexOf("\r\n\r\n");
    if (end === -1) return piece.length;
    const head = this.#carry.slice(0, end).toLowerCase();
    this.#carry = "";
    this.status = Number(head.slice(9, 12));
    if (!head.startsWith("http/1.1 ") || Number.isNaN(this.status))
      throw new SyntaxError(`Cannot read answer: it begins with "${head.slice(0, 40)}"`);
    this.#beginBody(head);
    return at + end + 4 - before;
  }

  #beginBody(head: string): void {
    const length = /\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (length !== undefined) {
      this.#remaining = Number(length);
      this.#state = this.#remaining === 0 ? "complete" : "length";
    } else if (/\ntransfer-encoding: *chunked/.test(head)) {
      this.#state = "chunk size";
    } else {
      throw new SyntaxError("Cannot read answer: nothing says how long it is");
    }
  }

  #takeBody(piece: Buffer, at: number): number {
    const taken = Math.min(this.#remaining, piece.length - at);
    this.#keep(piece, at, taken);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#state = "complete";
    return at + taken;
  }

  #takeSize(piece: Buffer, at: number): number {
    const end = piece.indexOf(10, at);
    this.#carry += piece.toString("latin1", at, end === -1 ? piece.length : end);
    if (end === -1) return piece.length;
    const size = Number.parseInt(this.#carry, 16);
    if (Number.isNaN(size)) throw new SyntaxError(`Cannot read chunk size: "${this.#carry}"`);
    this.#carry = "";
    // Behind its bytes each chunk has a line end, the last one too.
    this.#remaining = size + 2;
    this.#last = size === 0;
    this.#state = "chunk";
    return end + 1;
  }

  #takeChunk(piece: Buffer, at: number): number {
    const taken = Math.min(this.#remaining, piece.length - at);
    const body = Math.min(this.#remaining - 2, taken);
    if (body > 0) this.#keep(piece, at, body);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#state = this.#last ? "complete" : "chunk size";
    return at + taken;
  }

  #keep(piece: Buffer, at: number, bytes: number): void {
    this.bodyBytes += bytes;
    const end = at + bytes;
    const kept = piece.toString("latin1", Math.max(at, end - TAIL_BYTES), end);
    this.#onBody?.(piece.subarray(at, end));
    this.#tail = kept.length === TAIL_BYTES ? kept : (this.#tail + kept).slice(-TAIL_BYTES);
  }
}
