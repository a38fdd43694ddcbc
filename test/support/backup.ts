import { readFileSync } from "node:fs";
import { TarWriter } from "../../src/std/tar.ts";

/** Yields bytes in pieces of a size that fits nothing. */
export async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7777) yield bytes.subarray(at, at + 7777);
}

/** Packs any database into a backup that says the truth about its bytes. */
export async function backupOf(databasePath: string, schema: string): Promise<Uint8Array> {
  const database = readFileSync(databasePath);
  const manifest = new TextEncoder().encode(
    JSON.stringify({
      format: 1,
      created_at: "2026-06-15T12:00:00Z",
      program_version: "0.1.0",
      schema,
      master_key_ids: [],
      database: { bytes: database.length, sha256: Bun.SHA256.hash(database, "hex") },
    }),
  );
  const written: Uint8Array[] = [];
  const tar = new TarWriter((piece) => void written.push(piece.slice()));
  for (const [name, bytes] of [
    ["manifest.json", manifest],
    ["inference-proxy.db", database],
  ] as const)
    await tar.add({ name, bytes: bytes.length, modifiedS: 0 }, [bytes]);
  await tar.end();
  return new Uint8Array(Buffer.concat(written));
}
