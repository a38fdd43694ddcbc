/** A map that forgets what was written longest ago once it is full. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns the value, or undefined. Reading does not keep an entry from being forgotten. */
  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#sizeMax) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  /** Returns the keys, that of what was written longest ago first. One may be deleted while they are looked at. */
  keys(): IterableIterator<Key> {
    return this.#entries.keys();
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key);
  }
}
