import { expect, test } from "bun:test";
import { TarError, type TarMember, TarReader, TarWriter } from "../../src/std/tar.ts";

const FILES = [
  { name: "empty", text: "" },
  { name: "short.txt", text: "abc" },
  { name: "block", text: "b".repeat(512) },
  { name: `${"n".repeat(96)}.txt`, text: "long\n".repeat(300) },
];

/** Returns the archive of some files, given to the writer in pieces of 7 bytes. */
async function archiveOf(files: readonly { name: string; text: string }[]): Promise<Uint8Array> {
  const written: Uint8Array[] = [];
  const tar = new TarWriter((piece) => void written.push(piece.slice()));
  for (const { name, text } of files) {
    const bytes = new TextEncoder().encode(text);
    await tar.add({ name, bytes: bytes.length, modifiedS: 1_780_000_000 }, cut(bytes, 7));
  }
  await tar.end();
  return new Uint8Array(Buffer.concat(written));
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Returns a reader of bytes cut into pieces, which overwrites each before it hands on the next. */
function readerOf(bytes: Uint8Array, size = 1000): TarReader {
  const pieces = async function* () {
    const buffer = new Uint8Array(size);
    for (const piece of cut(bytes, size)) {
      buffer.fill(0xff);
      buffer.set(piece);
      yield buffer.subarray(0, piece.length);
    }
  };
  return new TarReader(pieces());
}

async function readAll(tar: TarReader): Promise<{ name: string; text: string }[]> {
  const files: { name: string; text: string }[] = [];
  for (let member = await tar.next(); member !== null; member = await tar.next())
    files.push({ name: member.name, text: await textOf(tar) });
  return files;
}

async function textOf(tar: TarReader): Promise<string> {
  const pieces = await Array.fromAsync(tar.contents(), (piece) => piece.slice());
  return Buffer.concat(pieces).toString();
}

const ARCHIVE = await archiveOf(FILES);

test("an archive is a whole number of blocks and opens with another program's reader", async () => {
  expect(ARCHIVE.length % 512).toBe(0);
  const files = await new Bun.Archive(ARCHIVE).files();
  const read = [...files].map(async ([name, file]) => ({ name, text: await file.text() }));
  expect(await Promise.all(read)).toEqual(FILES);
  expect(files.get("short.txt")?.lastModified).toBe(1_780_000_000_000);
});

test("another program's archive is read", async () => {
  const files = { "a.txt": "hello", "b.txt": "x".repeat(600) };
  const bytes = await new Bun.Archive(files).bytes();
  const read = await readAll(readerOf(bytes));
  expect(read).toEqual([
    { name: "a.txt", text: "hello" },
    { name: "b.txt", text: "x".repeat(600) },
  ]);
});

for (const size of [1, 3, 511, 512, 513, ARCHIVE.length]) {
  test(`an archive in pieces of ${size} bytes is read as it was written`, async () => {
    expect(await readAll(readerOf(ARCHIVE, size))).toEqual(FILES);
  });
}

test("a file that is not read, or only in part, is passed over", async () => {
  const tar = readerOf(ARCHIVE);
  const names: string[] = [];
  for (let member = await tar.next(); member !== null; member = await tar.next()) {
    names.push(member.name);
    if (names.length === 4) for await (const _ of tar.contents()) break;
  }
  expect(names).toEqual(FILES.map(({ name }) => name));
});

test("an archive cut short anywhere is refused", async () => {
  const archive = await archiveOf(FILES.slice(0, 2));
  for (let length = 0; length < archive.length; length += 1) {
    const error = await readAll(readerOf(archive.subarray(0, length))).catch((caught) => caught);
    expect([length, error]).toEqual([length, expect.any(TarError)]);
  }
});

test("a header with any bit changed is refused", async () => {
  const archive = await archiveOf([{ name: "a", text: "abc" }]);
  for (let bit = 0; bit < 512 * 8; bit += 1) {
    // How the checksum itself is filled up is nobody's business.
    if (bit >> 3 >= 148 && bit >> 3 < 156) continue;
    const changed = archive.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const read = await readAll(readerOf(changed)).catch((caught) => caught);
    expect([bit, read]).toEqual([bit, expect.any(TarError)]);
  }
});

test("sizes beyond 8 GiB are written and read, without the bytes", async () => {
  const bytes = 3 * 2 ** 40 + 5;
  const stop = new Error("enough");
  const written: Uint8Array[] = [];
  const tar = new TarWriter((piece) => {
    written.push(piece.slice());
    throw stop;
  });
  const member: TarMember = { name: "huge", bytes, modifiedS: 0 };
  await expect(tar.add(member, [])).rejects.toBe(stop);
  expect(await readerOf(new Uint8Array(Buffer.concat(written))).next()).toEqual(member);
});

test("what does not fit is not written", async () => {
  const tar = new TarWriter(() => {});
  const add = (name: string, bytes: number) => tar.add({ name, bytes, modifiedS: 0 }, []);
  await expect(add("n".repeat(101), 0)).rejects.toThrow(RangeError);
  await expect(add("", 0)).rejects.toThrow(RangeError);
  await expect(add("a\u{e9}", 0)).rejects.toThrow(RangeError);
  await expect(add("a", 1)).rejects.toThrow("0 bytes, not 1");
});
