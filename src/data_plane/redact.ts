import { isJsonObject } from "../std/json.ts";

const SHOWN = "[redacted]";

/** How many characters at either end of a key give it away: providers quote keys in part. */
const HEAD_CHARS = 12;
const TAIL_CHARS = 8;

/** Bounds one text of a provider that is passed on, in characters. */
const MAX_TEXT_CHARS = 2048;

/** Bounds how much of a provider's body is looked at. */
const MAX_VALUES = 1000;

/** What looks like a key of somebody, whoever's it is. */
const KEY_LIKE = /\b(?:sk-|fdb-inf-|gsk_)[A-Za-z0-9_*-]{6,}/g;

/** Takes a provider key, whole or in part, out of what the provider said. */
export class Redactor {
  readonly #parts: readonly string[];

  constructor(providerKey: string) {
    const ends = [providerKey.slice(0, HEAD_CHARS), providerKey.slice(-TAIL_CHARS)];
    // Of a short key an end is no evidence: it would be any word.
    this.#parts =
      providerKey.length >= HEAD_CHARS + TAIL_CHARS ? [providerKey, ...ends] : [providerKey];
  }

  text(text: string): string {
    let clean = text.slice(0, MAX_TEXT_CHARS);
    for (const part of this.#parts) clean = clean.replaceAll(part, SHOWN);
    return clean.replaceAll(KEY_LIKE, SHOWN);
  }

  /** Redacts every text in a parsed JSON value, names of members included. */
  value(value: unknown): unknown {
    let left = MAX_VALUES;
    const walk = (node: unknown): unknown => {
      left -= 1;
      if (left < 0) return null;
      if (typeof node === "string") return this.text(node);
      if (Array.isArray(node)) return node.map(walk);
      if (!isJsonObject(node)) return node;
      return Object.fromEntries(
        Object.entries(node).map(([name, member]) => [this.text(name), walk(member)]),
      );
    };
    return walk(value);
  }
}
