import { isJsonObject, type JsonObject } from "../std/json.ts";
import { dataEvent } from "../std/sse.ts";

/** What would end a JSON string early, swallow its end, or not be allowed in one. */
// oxlint-disable-next-line eslint/no-control-regex
const NOT_PLAIN = /["\\\x00-\x1f\x7f-\x9f]/;

/** The same, and all that is not ASCII. */
const NOT_PLAIN_ASCII = /[^ !#-[\]-~]/;

/** A chunk that has a learned shape. */
export interface MatchedChunk {
  /** The chunk as it is sent on. */
  readonly edited: string;
  /** The bytes of its piece of text, as UTF-8. */
  readonly contentBytes: number;
}

/**
 * The shape of a stream's chunks, learned from one of them: the same bytes from chunk to chunk, but for the
 * piece of text, and the padding that some providers add against eavesdroppers. What matches needs no
 * parsing, and what was decided for the first holds for it.
 */
export class ChunkTemplate {
  /** What stands before, between and behind the strings that change, as it comes and as it is sent on. */
  readonly #given: readonly string[];
  readonly #edited: readonly string[];
  /** What comes, as a whole event and with a character for each byte. */
  readonly #givenEvent: readonly string[];

  private constructor(given: readonly string[], edited: readonly string[]) {
    this.#given = given;
    this.#edited = edited;
    this.#givenEvent = eventAround(given).map((literal) => bytesAsText(Buffer.from(literal)));
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
  match(text: string): MatchedChunk | null {
    return this.#match(text, this.#given, NOT_PLAIN);
  }

  /**
   * The same for bytes that may be one whole event, without decoding them: ASCII is itself.
   *
   * @returns Null also for text beyond ASCII, which `match` takes.
   */
  matchBytes(piece: Uint8Array): MatchedChunk | null {
    return this.#match(bytesAsText(piece), this.#givenEvent, NOT_PLAIN_ASCII);
  }

  #match(text: string, given: readonly string[], refused: RegExp): MatchedChunk | null {
    const head = given[0] ?? "";
    if (!text.startsWith(head)) return null;
    let edited = this.#edited[0] ?? "";
    let contentBytes = -1;
    let at = head.length;
    for (let index = 1; index < given.length; index += 1) {
      const literal = given[index] ?? "";
      const last = index === given.length - 1;
      const end = last ? text.length - literal.length : text.indexOf(literal, at);
      if (end < at || (last && !text.endsWith(literal))) return null;
      const string = text.slice(at, end);
      if (refused.test(string)) return null;
      if (contentBytes === -1) contentBytes = Buffer.byteLength(string);
      edited += string + (this.#edited[index] ?? "");
      at = end + literal.length;
    }
    return { edited, contentBytes };
  }
}

/** Returns a character for each byte. Text is compared, cut and joined without making a buffer of every part. */
function bytesAsText(bytes: Uint8Array): string {
  return (Buffer.prototype as Buffer).toString.call(bytes, "latin1");
}

/** Returns literals of a chunk as those of the event that brings it, in the form that nearly all providers use. */
function eventAround(literals: readonly string[]): string[] {
  return dataEvent(literals.join(SPLIT)).split(SPLIT);
}

/** No literal holds it: JSON has no control characters. */
const SPLIT = "\0";

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
