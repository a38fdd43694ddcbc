import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** How much of a file is in memory at a time. */
const PIECE_BYTES = 1 << 20;

/** Yields the bytes of an open file from where it stands. Each piece is overwritten by the next. */
export async function* filePieces(file: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const bytes = readSync(file, buffer);
    if (bytes === 0) return;
    yield buffer.subarray(0, bytes);
  }
}

/** Writes all of a piece: the system may take less at a time. */
export function writePiece(file: number, piece: Uint8Array): void {
  for (let at = 0; at < piece.length;) at += writeSync(file, piece, at);
}

/** Opens a file to read it, for the time that a function takes. */
export async function withFile<Result>(
  path: string,
  use: (file: number) => Promise<Result>,
): Promise<Result> {
  const file = openSync(path, "r");
  try {
    return await use(file);
  } finally {
    closeSync(file);
  }
}
