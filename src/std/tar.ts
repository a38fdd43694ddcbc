/** A file in an archive. */
export interface TarMember {
  /** At most 100 characters of ASCII. */
  readonly name: string;
  readonly bytes: number;
  /** In whole seconds since the Unix epoch. */
  readonly modifiedS: number;
  /** Who may do what, as in `0o755`; unless it is said, the owner alone may read and write. */
  readonly mode?: number;
}

/** Takes bytes in order. They may be overwritten once it has returned, or its promise resolved. */
export type Write = (piece: Uint8Array) => void | Promise<void>;

/** What is read is no archive, or not a whole one. */
export class TarError extends Error {
  constructor(why: string) {
    super(`Cannot read archive: ${why}`);
  }
}

const BLOCK_BYTES = 512;

/** Where the fields of a header are, and how long they are. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  modified: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

type Field = keyof typeof FIELDS;

/** The largest size that fits into the octal digits of its field; beyond, it is written in binary. */
const OCTAL_BYTES_MAX = 8 ** 11 - 1;

/** Writes an archive of files in the ustar format, owned by root. */
export class TarWriter {
  readonly #write: Write;

  constructor(write: Write) {
    this.#write = write;
  }

  /** Adds a file. @throws {RangeError} If the pieces are not as many bytes as the member says. */
  async add(
    member: TarMember,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    await this.#write(headerOf(member));
    let written = 0;
    for await (const piece of pieces) {
      written += piece.length;
      await this.#write(piece);
    }
    if (written !== member.bytes)
      throw new RangeError(`Cannot add "${member.name}": ${written} bytes, not ${member.bytes}`);
    await this.#write(new Uint8Array(paddingOf(member.bytes)));
  }

  /** Marks the end of the archive. */
  async end(): Promise<void> {
    await this.#write(new Uint8Array(2 * BLOCK_BYTES));
  }
}

/** Reads an archive of files from pieces cut anywhere. Of a file no more is in memory than a piece. */
export class TarReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  /** What is left of the file being read, and of the zeros behind it. */
  #left = 0;
  #padding = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Returns the next file, or null at the end. @throws {TarError} If there is neither. */
  async next(): Promise<TarMember | null> {
    for await (const _ of this.contents());
    await this.#take(this.#padding);
    this.#padding = 0;
    const member = memberOf(await this.#take(BLOCK_BYTES));
    if (member === null) {
      if (!isZero(await this.#take(BLOCK_BYTES))) throw new TarError("a block at its end is not");
      return null;
    }
    this.#left = member.bytes;
    this.#padding = paddingOf(member.bytes);
    return member;
  }

  /** Yields what is left of the file. @throws {TarError} If the archive ends before it. */
  async *contents(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      if (this.#rest.length === 0) this.#rest = await this.#piece();
      const part = this.#rest.subarray(0, this.#left);
      this.#rest = this.#rest.subarray(part.length);
      this.#left -= part.length;
      yield part;
    }
  }

  async #take(bytes: number): Promise<Uint8Array> {
    const taken = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      if (this.#rest.length === 0) this.#rest = await this.#piece();
      const part = this.#rest.subarray(0, bytes - at);
      taken.set(part, at);
      this.#rest = this.#rest.subarray(part.length);
      at += part.length;
    }
    return taken;
  }

  async #piece(): Promise<Uint8Array> {
    const next: IteratorResult<Uint8Array, unknown> = await this.#pieces.next();
    if (next.done === true) throw new TarError("it ends too early");
    return next.value;
  }
}

function headerOf({ name, bytes, modifiedS, mode = 0o600 }: TarMember): Uint8Array {
  if (!/^[\x20-\x7e]{1,100}$/.test(name))
    throw new RangeError(`Cannot add "${name}": its name does not fit`);
  const header = new Uint8Array(BLOCK_BYTES);
  putText(header, "name", name);
  putText(header, "mode", octal(mode, 7));
  putText(header, "uid", octal(0, 7));
  putText(header, "gid", octal(0, 7));
  putSize(header, bytes);
  putText(header, "modified", octal(modifiedS, 11));
  putText(header, "type", "0");
  putText(header, "magic", "ustar\x0000");
  putText(header, "checksum", `${octal(checksumOf(header), 6)}\0 `);
  return header;
}

/** Returns the member that a header describes, or null for the zeros at the end of an archive. */
function memberOf(header: Uint8Array): TarMember | null {
  if (isZero(header)) return null;
  if (numberIn(header, "checksum") !== checksumOf(header))
    throw new TarError("a header does not add up to its checksum");
  if (!textIn(header, "magic").startsWith("ustar"))
    throw new TarError("it is of another format than ustar");
  const name = textIn(header, "name");
  if (textIn(header, "type") !== "0" || textIn(header, "prefix") !== "")
    throw new TarError(`"${name}" is not a plain file`);
  return { name, bytes: sizeIn(header), modifiedS: numberIn(header, "modified") };
}

/** Sums up a header's bytes, with blanks in place of the sum itself. */
function checksumOf(header: Uint8Array): number {
  const [at, length] = FIELDS.checksum;
  return header.reduce(
    (sum, byte, index) => sum + (index >= at && index < at + length ? 0x20 : byte),
    0,
  );
}

function putText(header: Uint8Array, field: Field, text: string): void {
  header.set(new TextEncoder().encode(text), FIELDS[field][0]);
}

function textIn(header: Uint8Array, field: Field): string {
  const [at, length] = FIELDS[field];
  const text = new TextDecoder("latin1").decode(header.subarray(at, at + length));
  return text.split("\0", 1)[0] ?? "";
}

function numberIn(header: Uint8Array, field: Field): number {
  const digits = textIn(header, field).trim();
  if (!/^[0-7]+$/.test(digits)) throw new TarError(`a header's ${field} is no number`);
  return Number.parseInt(digits, 8);
}

/** Large sizes are written as most programs do: the first bit set, then a number of 95 bits, highest byte first. */
function putSize(header: Uint8Array, bytes: number): void {
  if (bytes <= OCTAL_BYTES_MAX) return putText(header, "size", octal(bytes, 11));
  const [at, length] = FIELDS.size;
  header[at] = 0x80;
  new DataView(header.buffer).setBigUint64(at + length - 8, BigInt(bytes));
}

function sizeIn(header: Uint8Array): number {
  const [at, length] = FIELDS.size;
  if (((header[at] ?? 0) & 0x80) === 0) return numberIn(header, "size");
  const bytes = new DataView(header.buffer, header.byteOffset).getBigUint64(at + length - 8);
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw new TarError("a header's size is absurd");
  return Number(bytes);
}

function octal(number: number, digits: number): string {
  return number.toString(8).padStart(digits, "0");
}

function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}
