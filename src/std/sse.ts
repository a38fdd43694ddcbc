/** One event of an event stream: its `event:` name ("" if it had none) and its `data:` lines joined with "\n". */
export interface SseEvent {
  readonly name: string;
  readonly data: string;
}

/** Bounds one event, in characters: a peer that never ends a line must not fill the memory. */
export const MAX_EVENT_CHARS = 1 << 20;

/**
 * Reads an event stream from pieces that the network cut anywhere, also inside a character.
 *
 * Follows the WHATWG rules: LF, CR and CRLF end a line, comments are skipped, `id` and `retry` are
 * ignored, and an event that the end of the stream cuts off is dropped.
 */
export class SseParser {
  readonly #decoder = new TextDecoder();
  readonly #eventCharsMax: number;
  #rest = "";
  #scanned = 0;
  #name = "";
  #data: string[] = [];
  #dataChars = 0;
  #afterCr = false;
  #endsInLf = false;

  /** @param eventCharsMax The longest event accepted, in characters. */
  constructor(eventCharsMax = MAX_EVENT_CHARS) {
    this.#eventCharsMax = eventCharsMax;
  }

  /** Whether an event ended with the last piece, so that the next piece begins one. */
  get isBetweenEvents(): boolean {
    // Behind a line feed the decoder holds no part of a character.
    return this.#endsInLf && this.#isIdle && !this.#afterCr;
  }

  get #isIdle(): boolean {
    return this.#rest === "" && this.#data.length === 0 && this.#name === "";
  }

  /**
   * Returns the events that this piece completes, in order.
   *
   * @throws {RangeError} If one event is longer than the limit.
   */
  push(piece: Uint8Array): SseEvent[] {
    const text = this.#decoder.decode(piece, { stream: true });
    this.#endsInLf = piece.at(-1) === LF;
    const whole = this.#wholeEvent(text);
    if (whole !== null) return [whole];
    this.#rest = this.#rest === "" ? text : this.#rest + text;
    const events: SseEvent[] = [];
    this.#readLines(events);
    this.#bound(this.#rest.length);
    return events;
  }

  /** Nearly every piece of a live stream is exactly one `data:` line and its blank line. */
  #wholeEvent(text: string): SseEvent | null {
    if (!this.#isIdle || this.#afterCr || text.length > this.#eventCharsMax) return null;
    if (!text.startsWith("data: ") || !text.endsWith("\n\n")) return null;
    if (text.indexOf("\n") !== text.length - 2 || text.includes("\r")) return null;
    return { name: "", data: text.slice(6, -2) };
  }

  #bound(unfinishedChars: number): void {
    if (unfinishedChars + this.#dataChars <= this.#eventCharsMax) return;
    throw new RangeError(`Cannot read event: longer than ${this.#eventCharsMax} characters`);
  }

  #readLines(events: SseEvent[]): void {
    let start = 0;
    if (this.#afterCr && this.#rest !== "") {
      this.#afterCr = false;
      if (this.#rest.charCodeAt(0) === LF) start = 1;
    }
    // What was scanned before held no line end, so a long unfinished line is not read twice.
    const ends = new LineEnds(this.#rest, Math.max(start, this.#scanned));
    for (let end = ends.next(start); end !== -1; end = ends.next(start)) {
      this.#readLine(this.#rest.slice(start, end), events);
      start = end + 1;
      if (this.#rest.charCodeAt(end) === CR) {
        if (start === this.#rest.length) this.#afterCr = true;
        else if (this.#rest.charCodeAt(start) === LF) start += 1;
      }
    }
    this.#rest = this.#rest.slice(start);
    this.#scanned = this.#rest.length;
  }

  #readLine(line: string, events: SseEvent[]): void {
    if (line === "") {
      if (this.#data.length > 0) events.push({ name: this.#name, data: this.#data.join("\n") });
      this.#name = "";
      this.#data = [];
      this.#dataChars = 0;
      return;
    }
    // Skipped lines are bounded too: whether they are too long must not depend on where they were cut.
    this.#bound(line.length);
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    if (field !== "data" && field !== "event") return;
    let value = colon === -1 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.#name = value;
    else this.#data.push(value);
    this.#dataChars += line.length;
  }
}

const LF = 10;
const CR = 13;

/** Finds line ends in order; each character is looked at once per kind of line end. */
class LineEnds {
  readonly #text: string;
  #lf: number;
  #cr: number;

  constructor(text: string, from: number) {
    this.#text = text;
    this.#lf = text.indexOf("\n", from);
    this.#cr = text.indexOf("\r", from);
  }

  /** Returns where the first line end at or after `from` stands, or -1. */
  next(from: number): number {
    if (this.#lf !== -1 && this.#lf < from) this.#lf = this.#text.indexOf("\n", from);
    if (this.#cr !== -1 && this.#cr < from) this.#cr = this.#text.indexOf("\r", from);
    if (this.#lf === -1) return this.#cr;
    return this.#cr === -1 ? this.#lf : Math.min(this.#lf, this.#cr);
  }
}

/** Writes one `data:` event. JSON texts seldom have lines; where they do, each goes behind a `data:` of its own. */
export function dataEvent(text: string): string {
  return `data: ${text.includes("\n") ? text.replaceAll("\n", "\ndata: ") : text}\n\n`;
}
