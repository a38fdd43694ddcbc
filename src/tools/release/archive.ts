import { TarWriter } from "../../std/tar.ts";

/** A file of a release's archive. */
export interface ArchiveFile {
  /** Its path inside the archive's folder. */
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly isExecutable?: true;
}

/** Where the size no longer pays for the time. */
const LEVEL = 9;

/**
 * Makes a compressed archive of one folder. The same files give the same bytes, in whatever order they are given:
 * sorted by name, owned by root, all changed at the same second.
 *
 * @param modifiedS In whole seconds since the Unix epoch.
 */
export async function makeArchive(
  folder: string,
  files: readonly ArchiveFile[],
  modifiedS: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const tar = new TarWriter((piece) => void pieces.push(piece));
  for (const { name, content, isExecutable } of files.toSorted(byName)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const mode = isExecutable ? 0o755 : 0o644;
    const member = { name: `${folder}/${name}`, bytes: bytes.length, modifiedS, mode };
    await tar.add(member, [bytes]);
  }
  await tar.end();
  // The compressor is the runtime's own, whose version is pinned; its header says neither when nor what.
  return Bun.gzipSync(Buffer.concat(pieces), { library: "libdeflate", level: LEVEL });
}

function byName(a: ArchiveFile, b: ArchiveFile): number {
  return a.name < b.name ? -1 : 1;
}
