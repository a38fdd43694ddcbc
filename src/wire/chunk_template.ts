import { isUtf8 } from "node:buffer";
import { isJsonObject, type JsonObject } from "../std/json.ts";
import { dataEvent } from "../std/sse.ts";

/** How many sizes of event room is kept for, and up to which size, in bytes: most pieces of text are a few letters. */
const MAX_ROOMS = 12;
const MAX_ROOM_BYTES = 1024;

/** Bytes that stand in every chunk, as they come and as they are sent on, behind a string that changes. */
class Literal {
  readonly given: Buffer;
  readonly sent: Buffer;
  /** Where it was found last. */
  at = 0;

  constructor(given: string, sent: string) {
    this.given = Buffer.from(given);
    this.sent = Buffer.from(sent);
  }

  /** Whether it stands there, as it comes. */
  standsAt(at: number, bytes: Uint8Array): boolean {
    this.at = at;
    const end = at + this.given.length;
    return end <= bytes.length && this.given.compare(bytes, at, end) === 0;
  }
}

/**
 * The shape of a stream's chunks, learned from one of them: the same bytes from chunk to chunk, but for the
 * piece of text, and the padding that some providers add against eavesdroppers. What matches needs no
 * parsing, and what was decided for the first holds for it.
 */
export class ChunkTemplate {
  /** The bytes of the pieces of text that were matched last. */
  contentBytes = 0;
  readonly #head: Literal;
  /** What stands behind the piece of text, and behind padding if there is any. */
  readonly #others: readonly Literal[];
  /** Where the event ends that was looked at last. */
  #end = 0;
  /** Those of all bytes of strings together: the highest is set if there is more than ASCII. */
  #bits = 0;
  /** By its size, an event as it is sent on but for its strings. Making nothing for each chunk is what makes it cheap. */
  readonly #rooms = new Map<number, Uint8Array>();

  private constructor(head: Literal, others: readonly Literal[]) {
    this.#head = head;
    this.#others = others;
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
    const given = cutAround(dataEvent(text), strings);
    const sent = cutAround(edited, strings);
    if (given === null || sent === null) return null;
    const literals = given.map((literal, index) => new Literal(literal, sent[index] ?? ""));
    const [head, ...others] = literals;
    return head === undefined ? null : new ChunkTemplate(head, others);
  }

  /**
   * Edits chunks of this shape without decoding them.
   *
   * @param events Bytes that may be whole events, mostly one, each a chunk.
   * @returns What is sent on, until the next chunk is matched; null if they are anything else.
   */
  match(events: Uint8Array): Uint8Array | null {
    this.contentBytes = 0;
    this.#bits = 0;
    const first = this.#matchAt(events, 0);
    const edited = first && this.#end < events.length ? this.#withOthers(first, events) : first;
    return this.#bits < 0x80 || isUtf8(events) ? edited : null;
  }

  #withOthers(first: Uint8Array, events: Uint8Array): Uint8Array | null {
    const all = [first.slice()];
    while (this.#end < events.length) {
      const next = this.#matchAt(events, this.#end);
      if (next === null) return null;
      all.push(next.slice());
    }
    return Buffer.concat(all);
  }

  #matchAt(events: Uint8Array, from: number): Uint8Array | null {
    return this.#isOfShape(events, from) ? this.#edited(events) : null;
  }

  /** Finds the end of an event and its strings, if all the rest is as it was learned. */
  #isOfShape(events: Uint8Array, from: number): boolean {
    if (!this.#head.standsAt(from, events)) return false;
    let at = from + this.#head.given.length;
    for (const literal of this.#others) {
      for (; isPlain(events[at]); at += 1) this.#bits |= events[at] as number;
      if (!literal.standsAt(at, events)) return false;
      at += literal.given.length;
    }
    this.#end = at;
    return true;
  }

  #edited(events: Uint8Array): Uint8Array {
    const edited = this.#room(this.#end - this.#head.at);
    let at = this.#head.at + this.#head.given.length;
    let to = this.#head.sent.length;
    this.contentBytes += (this.#others[0]?.at ?? at) - at;
    for (const literal of this.#others) {
      for (; at < literal.at; at += 1, to += 1) edited[to] = events[at] as number;
      at += literal.given.length;
      if (at < this.#end) edited.set(literal.sent, to);
      to += literal.sent.length;
    }
    return edited;
  }

  /** Returns where the strings of an event have to be put: the first and the last literal stand there already. */
  #room(eventBytes: number): Uint8Array {
    const kept = this.#rooms.get(eventBytes);
    if (kept !== undefined) return kept;
    const literals = [this.#head, ...this.#others];
    const growth = literals.reduce((sum, { given, sent }) => sum + sent.length - given.length, 0);
    const room = new Uint8Array(eventBytes + growth);
    const last = literals.at(-1)?.sent ?? Buffer.alloc(0);
    room.set(this.#head.sent);
    room.set(last, room.length - last.length);
    if (this.#rooms.size < MAX_ROOMS && room.length <= MAX_ROOM_BYTES)
      this.#rooms.set(eventBytes, room);
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
