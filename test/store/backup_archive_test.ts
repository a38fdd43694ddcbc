import { expect, test } from "bun:test";
import { TarError, TarWriter } from "../../src/std/tar.ts";
import {
  BackupArchiveError,
  type Manifest,
  readBackupArchive,
  writeBackupArchive,
} from "../../src/store/backup_archive.ts";

const DATABASE = new TextEncoder().encode("the bytes of a database ".repeat(40));

const MANIFEST: Manifest = {
  format: 1,
  created_at: "2026-06-15T12:00:00Z",
  program_version: "0.1.0",
  schema: "0001_first",
  master_key_ids: ["4f1c9a2b"],
  database: { bytes: DATABASE.length, sha256: Bun.SHA256.hash(DATABASE, "hex") },
};

async function* once(piece: Uint8Array): AsyncGenerator<Uint8Array> {
  yield piece;
}

/** Runs something that writes, and returns what it wrote. */
async function written(
  run: (write: (piece: Uint8Array) => void) => Promise<void>,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await run((piece) => void pieces.push(piece.slice()));
  return new Uint8Array(Buffer.concat(pieces));
}

async function read(archive: Uint8Array): Promise<{ manifest: Manifest; database: string }> {
  const pieces: Uint8Array[] = [];
  const write = (piece: Uint8Array) => void pieces.push(piece.slice());
  const manifest = await readBackupArchive(once(archive), write);
  return { manifest, database: Buffer.concat(pieces).toString() };
}

/** Returns an archive of files as given, whether they make a backup or not. */
function archiveOf(...files: readonly (readonly [name: string, bytes: Uint8Array])[]) {
  return written(async (write) => {
    const tar = new TarWriter(write);
    for (const [name, bytes] of files)
      await tar.add({ name, bytes: bytes.length, modifiedS: 0 }, [bytes]);
    await tar.end();
  });
}

const ARCHIVE = await written((write) => writeBackupArchive(MANIFEST, once(DATABASE), write));

test("a backup is read as it was written", async () => {
  const { manifest, database } = await read(ARCHIVE);
  expect(manifest).toEqual(MANIFEST);
  expect(database).toBe(new TextDecoder().decode(DATABASE));
});

test("other programs open a backup: the manifest first, then the database", async () => {
  const files = await new Bun.Archive(ARCHIVE).files();
  expect([...files.keys()]).toEqual(["manifest.json", "inference-proxy.db"]);
  expect(await files.get("manifest.json")?.json()).toEqual(MANIFEST);
});

test("a backup cut short anywhere is refused", async () => {
  for (let length = 0; length < ARCHIVE.length; length += 97) {
    const error = await read(ARCHIVE.subarray(0, length)).catch((caught) => caught);
    expect([length, error]).toEqual([length, expect.any(TarError)]);
  }
});

test("a backup with a byte changed is refused, unless the byte means nothing", async () => {
  const manifestEnd = 512 + JSON.stringify(MANIFEST, null, 2).length + 1;
  const databaseAt = 512 * 3;
  const meaningful = [...Array(databaseAt + DATABASE.length).keys()].filter(
    (at) => at < manifestEnd || at >= 1024,
  );
  for (const at of meaningful) {
    const changed = ARCHIVE.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x15;
    const result = await read(changed).catch((caught) => caught);
    const refused = result instanceof TarError || result instanceof BackupArchiveError;
    // What the manifest tells about the time and the program is for people.
    const harmless = !refused && JSON.stringify(result.manifest.database) === SUMS;
    expect([at, refused || harmless]).toEqual([at, true]);
  }
});

const SUMS = JSON.stringify(MANIFEST.database);

const manifestBytes = (changes: object) =>
  new TextEncoder().encode(JSON.stringify({ ...MANIFEST, ...changes }));

const REFUSED: { name: string; manifest?: Uint8Array; says: string }[] = [
  { name: "a newer format", manifest: manifestBytes({ format: 2 }), says: "its format is 2" },
  { name: "no format", manifest: manifestBytes({ format: "1" }), says: "format" },
  { name: "no checksum", manifest: manifestBytes({ database: { bytes: 5 } }), says: "sha256" },
  { name: "no time", manifest: manifestBytes({ created_at: "yesterday" }), says: "created_at" },
  {
    name: "a text that would move the cursor",
    manifest: manifestBytes({ program_version: "\u001b[2J" }),
    says: "program_version",
  },
  { name: "no JSON", manifest: new TextEncoder().encode("{"), says: "no JSON" },
  { name: "a long manifest", manifest: new Uint8Array(70_000).fill(0x20), says: "too long" },
  {
    name: "a database of another length",
    manifest: manifestBytes({ database: { ...MANIFEST.database, bytes: 5 } }),
    says: "not as long",
  },
];

for (const { name, manifest = manifestBytes({}), says } of REFUSED) {
  test(`a backup with ${name} is refused`, async () => {
    const archive = await archiveOf(["manifest.json", manifest], ["inference-proxy.db", DATABASE]);
    const error = await read(archive).catch((caught) => caught);
    expect(error).toBeInstanceOf(BackupArchiveError);
    expect(error.message).toContain(says);
  });
}

test("an archive of other files is refused", async () => {
  const manifest = ["manifest.json", manifestBytes({})] as const;
  const database = ["inference-proxy.db", DATABASE] as const;
  for (const files of [[], [manifest], [database, manifest], [manifest, database, manifest]]) {
    const archive = await archiveOf(...files);
    await expect(read(archive)).rejects.toBeInstanceOf(BackupArchiveError);
  }
});

test("what a later version adds to the manifest is passed over", async () => {
  const manifest = manifestBytes({ note: "more" });
  const archive = await archiveOf(["manifest.json", manifest], ["inference-proxy.db", DATABASE]);
  expect((await read(archive)).manifest).toEqual(MANIFEST);
});
