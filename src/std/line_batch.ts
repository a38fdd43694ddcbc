/** Where lines go. */
export interface LineOutput {
  /** Sends text without waiting. Returns a promise if it is not taken yet; nothing more is sent until it is. */
  readonly send: (text: string) => Promise<unknown> | null;
  /** Sends text before it returns: for the end of the process. */
  readonly sendNow: (text: string) => void;
}

/** As much as is gathered before it is sent at once, in characters. */
const BATCH_CHARS = 1 << 16;

/** As much as is kept for a reader that does not read, in characters. */
const WAITING_CHARS_MAX = 1 << 20;

/**
 * Gathers the lines of one turn of the event loop and sends them together. A reader that stalls stops nobody: what it
 * cannot take is kept up to a bound, and counted beyond it.
 */
export class LineBatch {
  readonly #output: LineOutput;
  readonly #onDropped: (lines: number) => void;
  #text = "";
  #turn: NodeJS.Immediate | null = null;
  #sending = false;
  #dropped = 0;

  /** @param onDropped Told how many lines were lost, once the reader takes lines again. */
  constructor(output: LineOutput, onDropped: (lines: number) => void) {
    this.#output = output;
    this.#onDropped = onDropped;
  }

  /** Takes one line, its end included. */
  write(line: string): void {
    if (this.#text.length + line.length > WAITING_CHARS_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#text += line;
    if (this.#sending) return;
    if (this.#text.length >= BATCH_CHARS) return this.flush();
    this.#turn ??= setImmediate(() => this.flush());
  }

  /** Sends what was gathered, unless the reader stalls. */
  flush(): void {
    this.#stopWaiting();
    if (this.#sending || this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    const taken = this.#output.send(text);
    if (taken === null) return;
    this.#sending = true;
    // A reader that is gone takes nothing, and there is nobody left to tell.
    taken.catch(() => {}).finally(() => this.#sent());
  }

  /** Sends what was gathered before it returns: nothing runs afterwards. */
  flushNow(): void {
    this.#stopWaiting();
    if (this.#text !== "") this.#output.sendNow(this.#text);
    this.#text = "";
  }

  #sent(): void {
    this.#sending = false;
    this.flush();
    const lines = this.#dropped;
    this.#dropped = 0;
    if (lines > 0) this.#onDropped(lines);
  }

  #stopWaiting(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
  }
}
