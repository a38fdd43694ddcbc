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

/** How OpenAI names the organization and the project that a key belongs to. */
const CUSTOMER = /\b(?:org-|proj_)[A-Za-z0-9]{16,}/g;

/** Takes a provider key, whole or in part, and whose it is out of what the provider said. */
export class Redactor {
  readonly #key: string;
  readonly #hosts: readonly string[];

  /** @param host Where an organization's own base URL leads, as `host:port` or `host`; null if it has none. */
  constructor(providerKey: string, host: string | null = null) {
    this.#key = providerKey;
    const names = host === null ? [] : [host, host.replace(/:\d+$/, "")];
    // A bare name may be any word.
    this.#hosts = names.filter((name) => /[.:]/.test(name));
  }

  /** Redacts a text and shortens it. */
  text(text: string): string {
    let clean = this.#withoutKey(text).replaceAll(KEY_LIKE, SHOWN).replaceAll(CUSTOMER, SHOWN);
    for (const host of this.#hosts) clean = clean.replaceAll(host, SHOWN);
    // Shortened last: half a key at the cut would be known by no end of it.
    return clean.slice(0, MAX_TEXT_CHARS);
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

  #withoutKey(text: string): string {
    const key = this.#key;
    // Of a short key an end is no evidence: it would be any word.
    if (key.length < HEAD_CHARS + TAIL_CHARS) return text.replaceAll(key, SHOWN);
    return withoutTail(withoutHead(text, key), key);
  }
}

/** Replaces the beginning of a key, with as much more of it as follows: the rest may have been cut off. */
function withoutHead(text: string, key: string): string {
  const head = key.slice(0, HEAD_CHARS);
  let clean = "";
  let from = 0;
  for (let at = text.indexOf(head); at !== -1; at = text.indexOf(head, from)) {
    let chars = HEAD_CHARS;
    while (chars < key.length && text[at + chars] === key[chars]) chars += 1;
    clean += text.slice(from, at) + SHOWN;
    from = at + chars;
  }
  return clean + text.slice(from);
}

/** Replaces the end of a key, with as much more of it as stands before. */
function withoutTail(text: string, key: string): string {
  const tail = key.slice(-TAIL_CHARS);
  let clean = "";
  let from = 0;
  for (let at = text.indexOf(tail); at !== -1; at = text.indexOf(tail, from)) {
    let start = at;
    let left = key.length - TAIL_CHARS;
    while (start > from && left > 0 && text[start - 1] === key[left - 1]) {
      start -= 1;
      left -= 1;
    }
    clean += text.slice(from, start) + SHOWN;
    from = at + TAIL_CHARS;
  }
  return clean + text.slice(from);
}
