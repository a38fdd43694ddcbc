import * as v from "valibot";
import { parseJsonObject } from "../std/json.ts";
import { parseRfc3339 } from "../std/rfc3339.ts";
import { type TarMember, TarReader, TarWriter, type Write } from "../std/tar.ts";

/** What a backup says about itself. It stands first in the archive, before the database. */
export interface Manifest {
  readonly format: typeof FORMAT;
  /** RFC 3339: what was committed before is in the backup. */
  readonly created_at: string;
  readonly program_version: string;
  /** The newest migration of the database. */
  readonly schema: string;
  /** The database needs one of these master keys. None of them is in the archive. */
  readonly master_key_ids: readonly string[];
  readonly database: { readonly bytes: number; readonly sha256: string };
}

/** What is read is no backup, not a whole one, or damaged. */
export class BackupArchiveError extends Error {
  constructor(why: string) {
    super(`Cannot read backup: ${why}`);
  }
}

/** Changes when an older version could not restore what this one writes. */
const FORMAT = 1;

const MANIFEST_NAME = "manifest.json";
const DATABASE_NAME = "inference-proxy.db";

/** Bounds what is kept in memory of an archive. */
const MANIFEST_BYTES_MAX = 64 * 1024;

/** A word that people are shown. */
const word = () => v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,100}$/));

/** What a later version adds is passed over. */
const ManifestBody = v.object({
  format: v.literal(FORMAT),
  created_at: v.pipe(
    v.string(),
    v.check((text) => parseRfc3339(text) !== null),
  ),
  program_version: word(),
  schema: word(),
  master_key_ids: v.array(word()),
  database: v.object({
    bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  }),
});

/** Writes a backup: a ustar archive of the manifest and the database, in this order. */
export async function writeBackupArchive(
  manifest: Manifest,
  database: AsyncIterable<Uint8Array>,
  write: Write,
): Promise<void> {
  const tar = new TarWriter(write);
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  const modifiedS = Math.floor(Date.parse(manifest.created_at) / 1000);
  await tar.add({ name: MANIFEST_NAME, bytes: text.length, modifiedS }, [text]);
  const { bytes } = manifest.database;
  await tar.add({ name: DATABASE_NAME, bytes, modifiedS }, database);
  await tar.end();
}

/**
 * Reads a backup and hands on its database, piece by piece.
 *
 * @returns The manifest, once all was read and the database is what the manifest says.
 * @throws {BackupArchiveError} If it is no backup of a known format, or what was handed on is not its database.
 * @throws {TarError} If it is no whole archive.
 */
export async function readBackupArchive(
  pieces: AsyncIterable<Uint8Array>,
  write: Write,
): Promise<Manifest> {
  const tar = new TarReader(pieces);
  const first = await nextMember(tar, MANIFEST_NAME);
  if (first.bytes > MANIFEST_BYTES_MAX) throw new BackupArchiveError("its manifest is too long");
  const texts = await Array.fromAsync(tar.contents(), (piece) => piece.slice());
  const manifest = parseManifest(new TextDecoder().decode(Buffer.concat(texts)));
  const { bytes } = await nextMember(tar, DATABASE_NAME);
  if (bytes !== manifest.database.bytes)
    throw new BackupArchiveError("its database is not as long as its manifest says");
  const hash = new Bun.CryptoHasher("sha256");
  for await (const piece of tar.contents()) {
    hash.update(piece);
    await write(piece);
  }
  if (hash.digest("hex") !== manifest.database.sha256)
    throw new BackupArchiveError("its database is not the one that its manifest was written for");
  if ((await tar.next()) !== null)
    throw new BackupArchiveError("there is more in it than a manifest and a database");
  return manifest;
}

async function nextMember(tar: TarReader, name: string): Promise<TarMember> {
  const member = await tar.next();
  if (member?.name === name) return member;
  throw new BackupArchiveError(`${name} is not where it should be`);
}

function parseManifest(text: string): Manifest {
  const object = parseJsonObject(text);
  if (object === null) throw new BackupArchiveError("its manifest is no JSON");
  const format = object["format"];
  if (typeof format === "number" && format > FORMAT)
    throw new BackupArchiveError(`its format is ${format}, this version knows ${FORMAT}`);
  const { success, output, issues } = v.safeParse(ManifestBody, object);
  if (success) return output;
  const path = v.getDotPath(issues[0]) ?? "it";
  throw new BackupArchiveError(`its manifest is malformed: ${path} is not what it should be`);
}
