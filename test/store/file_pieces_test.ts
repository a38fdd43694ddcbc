import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filePieces, withFile, writePiece } from "../../src/store/file_pieces.ts";
import { openWorkFolder } from "../../src/store/work_folder.ts";

test("a file of several pieces is read and written as it is", async () => {
  using folder = openWorkFolder(tmpdir());
  const [path, copyPath] = [join(folder.path, "file"), join(folder.path, "copy")];
  const bytes = new Uint8Array(2_500_000).map((_, index) => index % 251);
  writeFileSync(path, bytes);
  const copy = openSync(copyPath, "w");
  let pieces = 0;
  await withFile(path, async (file) => {
    for await (const piece of filePieces(file)) {
      writePiece(copy, piece);
      pieces += 1;
    }
  });
  closeSync(copy);
  expect(pieces).toBe(3);
  expect(readFileSync(copyPath).equals(bytes)).toBe(true);
});

test("a file is closed when its use fails", async () => {
  let opened = -1;
  const use = withFile(import.meta.path, async (file) => {
    opened = file;
    throw new Error("failed");
  });
  await expect(use).rejects.toThrow("failed");
  expect(() => closeSync(opened)).toThrow();
});
