import { isUtf8 } from "node:buffer";
import { isJsonObject, type JsonObject } from "../std/json.ts";
import { dataEvent } from "../std/sse.ts";

/** How many sizes of event room is kept for, and up to which size, in bytes: most pieces of text are a few letters. */
const MAX_ROOMS = 12;
const MAX_ROOM_BYTES = 1024;

/** What would end a JSON string early, swallow its end, or not be allowed in one. */
// oxlint-disable-next-line eslint/no-control-regex
const NOT_PLAIN = /["\\\x00-\x1f]/;

/** What stands in every chunk, before or behind a string that changes. */
class Literal {
  /** As it comes, in the chunk and in the event that brings it. */
  readonly given: string;
  readonly givenBytes: Buffer;
  /** As it is sent on. */
  readonly sent: string;
  readonly sentBytes: Buffer;
  /** Where it stands in the event that was looked at last: there the string before it ends. */
  at = 0;

  constructor(given: string, givenInEvent: string, sent: string) {
    this.given = given;
    this.givenBytes = Buffer.from(givenInEvent);
    this.sent = sent;
    this.sentBytes = Buffer.from(sent);
  }

  /** Whether it stands there, as it comes. */
  standsAt(at: number, event: Uint8Array): boolean {
    const end = at + this.givenBytes.length;
    return end <= event.length && this.givenBytes.compare(event, at, end) === 0;
  }
}

/**
 * The shape of a stream's chunks, learned from one of them: the same bytes from chunk to chunk, but for the
 * piece of text, and the padding that some providers add against eavesdroppers. What matches needs no
 * parsing, and what was decided for the first holds for it.
 */
export class ChunkTemplate {
  /** The bytes of the piece of text in the chunk that was edited last, as UTF-8. */
  contentBytes = 0;
  readonly #head: Literal;
  /** What stands behind the piece of text, and behind padding if there is any. */
  readonly #others: readonly Literal[];
  readonly #last: Literal;
  /** By its size, an event as it is sent on but for its strings. Making nothing for each chunk is what makes it cheap. */
  readonly #rooms = new Map<number, Uint8Array>();

  private constructor(head: Literal, others: readonly Literal[], last: Literal) {
    this.#head = head;
    this.#others = others;
    this.#last = last;
  }

  /**
   * Learns from a chunk whose only content is a piece of text.
   *
   * @param text The chunk as it came.
   * @param edited The same as it is sent on, as an event.
   * @returns Null if it has another shape.
   */
  static learn(chunk: JsonObject, text: string, edited: string): ChunkTemplate | null {
    const content = onlyContent(chunk);
    if (content === null) return null;
    const strings = [`"content":${JSON.stringify(content)}`];
    const { obfuscation } = chunk;
    if (typeof obfuscation === "string") {
      strings.push(`"obfuscation":${JSON.stringify(obfuscation)}`);
    }
    const given = cutAround(text, strings);
    const event = cutAround(dataEvent(text), strings);
    const sent = cutAround(edited, strings);
    if (given === null || event === null || sent === null) return null;
    const [head, ...others] = given.map(
      (literal, index) => new Literal(literal, event[index] ?? "", sent[index] ?? ""),
    );
    const last = others.at(-1);
    return head && last ? new ChunkTemplate(head, others, last) : null;
  }

  /** Edits a chunk. @returns The event that is sent on; null if the chunk is of another shape. */
  edit(text: string): string | null {
    const { given, sent } = this.#head;
    if (!text.startsWith(given)) return null;
    let edited = sent;
    let at = given.length;
    for (const literal of this.#others) {
      const isLast = literal === this.#last;
      const end = isLast ? text.length - literal.given.length : text.indexOf(literal.given, at);
      if (end < at || (isLast && !text.endsWith(literal.given))) return null;
      const string = text.slice(at, end);
      if (NOT_PLAIN.test(string)) return null;
      if (literal === this.#others[0]) this.contentBytes = Buffer.byteLength(string);
      edited += string + literal.sent;
      at = end + literal.given.length;
    }
    return edited;
  }

  /**
   * Edits a chunk where it lies, without decoding it.
   *
   * @param event Bytes that may be the one event that brings it.
   * @returns The event that is sent on, until the next one is edited; null if the chunk is of another shape.
   */
  editBytes(event: Uint8Array): Uint8Array | null {
    return this.#isOfShape(event) ? this.#edited(event) : null;
  }

  /** Finds the strings of an event, if all the rest is as it was learned. */
  #isOfShape(event: Uint8Array): boolean {
    if (!this.#head.standsAt(0, event)) return false;
    let at = this.#head.givenBytes.length;
    let bits = 0;
    for (const literal of this.#others) {
      for (; isPlain(event[at]); at += 1) bits |= event[at] as number;
      if (!literal.standsAt(at, event)) return false;
      literal.at = at;
      at += literal.givenBytes.length;
    }
    return at === event.length && (bits < 0x80 || isUtf8(event));
  }

  #edited(event: Uint8Array): Uint8Array {
    const edited = this.#room(event.length);
    let at = this.#head.givenBytes.length;
    let to = this.#head.sentBytes.length;
    this.contentBytes = (this.#others[0]?.at ?? at) - at;
    for (const literal of this.#others) {
      for (; at < literal.at; at += 1, to += 1) edited[to] = event[at] as number;
      if (literal !== this.#last) edited.set(literal.sentBytes, to);
      at += literal.givenBytes.length;
      to += literal.sentBytes.length;
    }
    return edited;
  }

  /** Returns where the strings of an event have to be put: the first and the last literal stand there already. */
  #room(eventBytes: number): Uint8Array {
    const kept = this.#rooms.get(eventBytes);
    if (kept !== undefined) return kept;
    let size = eventBytes;
    for (const { givenBytes, sentBytes } of [this.#head, ...this.#others])
      size += sentBytes.length - givenBytes.length;
    const room = new Uint8Array(size);
    room.set(this.#head.sentBytes);
    room.set(this.#last.sentBytes, size - this.#last.sentBytes.length);
    if (this.#rooms.size < MAX_ROOMS && size <= MAX_ROOM_BYTES) this.#rooms.set(eventBytes, room);
    return room;
  }
}

/** Whether a byte of a string stands for itself, perhaps as part of a character: it is neither escaped nor the end. */
function isPlain(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Cuts a text around the values of string members.
 *
 * @param members As `"name":"value"`, in the order in which they stand.
 * @returns Null if one is not found, or found twice: then it is not certain which one it is.
 */
function cutAround(text: string, members: readonly string[]): string[] | null {
  const literals: string[] = [];
  let from = 0;
  for (const member of members) {
    const at = text.indexOf(member, from);
    if (at === -1 || text.indexOf(member) !== text.lastIndexOf(member)) return null;
    literals.push(text.slice(from, at + member.indexOf(":") + 2));
    from = at + member.length - 1;
  }
  return [...literals, text.slice(from)];
}

/** Returns the text of a chunk that says nothing but one piece of it, or null. */
function onlyContent(chunk: JsonObject): string | null {
  const choices = chunk["choices"];
  if (!Array.isArray(choices) || choices.length !== 1 || chunk["usage"]) return null;
  const [choice] = choices;
  if (!isJsonObject(choice) || choice["finish_reason"]) return null;
  const delta = choice["delta"];
  if (!isJsonObject(delta) || Object.keys(delta).length !== 1) return null;
  const content = delta["content"];
  return typeof content === "string" ? content : null;
}
