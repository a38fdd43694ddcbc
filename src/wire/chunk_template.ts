import { isJsonObject, type JsonObject } from "../std/json.ts";
import { dataEvent } from "../std/sse.ts";

/** What would end a JSON string early, swallow its end, or not be allowed in one. */
// oxlint-disable-next-line eslint/no-control-regex
const NOT_PLAIN = /["\\\x00-\x1f\x7f-\x9f]/;

/** A chunk that has a learned shape. */
export interface MatchedChunk<Edited> {
  /** The chunk as it is sent on. */
  readonly edited: Edited;
  /** The bytes of its piece of text, as UTF-8. */
  readonly contentBytes: number;
}

/**
 * The shape of a stream's chunks, learned from one of them: the same bytes from chunk to chunk, but for the
 * piece of text, and the padding that some providers add against eavesdroppers. What matches needs no
 * parsing, and what was decided for the first holds for it.
 */
export class ChunkTemplate {
  /** The bytes before, between and behind the strings that change, as they come and as they are sent on. */
  readonly #given: readonly string[];
  readonly #edited: readonly string[];
  /** The same as bytes: what is given as a whole event. */
  readonly #givenBytes: readonly Uint8Array[];
  readonly #editedBytes: readonly Uint8Array[];
  readonly #addedBytes: number;

  private constructor(given: readonly string[], edited: readonly string[]) {
    this.#given = given;
    this.#edited = edited;
    this.#givenBytes = eventAround(given).map((literal) => Buffer.from(literal));
    this.#editedBytes = edited.map((literal) => Buffer.from(literal));
    this.#addedBytes = sizeOf(this.#editedBytes) - sizeOf(this.#givenBytes);
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
    const sent = cutAround(edited, strings);
    return given === null || sent === null ? null : new ChunkTemplate(given, sent);
  }

  /** Returns the chunk as it is sent on, or null if it is not of this shape. */
  match(text: string): MatchedChunk<string> | null {
    const head = this.#given[0] ?? "";
    if (!text.startsWith(head)) return null;
    let edited = this.#edited[0] ?? "";
    let contentBytes = -1;
    let at = head.length;
    for (let index = 1; index < this.#given.length; index += 1) {
      const literal = this.#given[index] ?? "";
      const last = index === this.#given.length - 1;
      const end = last ? text.length - literal.length : text.indexOf(literal, at);
      if (end < at || (last && !text.endsWith(literal))) return null;
      const string = text.slice(at, end);
      if (NOT_PLAIN.test(string)) return null;
      if (contentBytes === -1) contentBytes = Buffer.byteLength(string);
      edited += string + (this.#edited[index] ?? "");
      at = end + literal.length;
    }
    return { edited, contentBytes };
  }

  /**
   * The same for bytes that may be one whole event: nothing is decoded. Only ASCII is known by its bytes.
   *
   * @returns Null also for text beyond ASCII, which `match` takes.
   */
  matchBytes(piece: Uint8Array): MatchedChunk<Uint8Array> | null {
    const strings: Uint8Array[] = [];
    let at = 0;
    for (const [index, literal] of this.#givenBytes.entries()) {
      const from = at;
      if (index > 0) {
        at = plainEnd(piece, from);
        strings.push(piece.subarray(from, at));
      }
      if (!holdsAt(piece, at, literal)) return null;
      at += literal.length;
    }
    if (at !== piece.length) return null;
    return { edited: this.#around(strings, piece.length), contentBytes: strings[0]?.length ?? 0 };
  }

  /** Puts the literals of what is sent on around strings that came in a piece of this size. */
  #around(strings: readonly Uint8Array[], size: number): Uint8Array {
    const edited = new Uint8Array(size + this.#addedBytes);
    let at = 0;
    for (const [index, literal] of this.#editedBytes.entries()) {
      const string = index === 0 ? undefined : strings[index - 1];
      if (string !== undefined) {
        edited.set(string, at);
        at += string.length;
      }
      edited.set(literal, at);
      at += literal.length;
    }
    return edited;
  }
}

/** Returns literals of a chunk as those of the event that brings it, in the form that nearly all providers use. */
function eventAround(literals: readonly string[]): string[] {
  return dataEvent(literals.join(SPLIT)).split(SPLIT);
}

/** No literal holds it: JSON has no control characters. */
const SPLIT = "\0";

function sizeOf(literals: readonly Uint8Array[]): number {
  return literals.reduce((sum, { length }) => sum + length, 0);
}

function holdsAt(bytes: Uint8Array, at: number, literal: Uint8Array): boolean {
  if (at + literal.length > bytes.length) return false;
  for (let index = 0; index < literal.length; index += 1)
    if (bytes[at + index] !== literal[index]) return false;
  return true;
}

/** Returns where plain ASCII ends: at a quote or backslash, a control character, or a byte of something else. */
function plainEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const code = bytes[at] ?? 0;
    if (code < 0x20 || code >= 0x7f || code === 0x22 || code === 0x5c) return at;
    at += 1;
  }
}

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
