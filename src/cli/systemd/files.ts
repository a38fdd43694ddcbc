import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** What became of a file or folder. */
export type Change = "created" | "replaced" | "mode set" | "unchanged";

/** Everybody may look into the folders on the way to a file; what is secret has a folder of its own. */
const FOLDER_MODE = 0o755;

/** Makes a folder and those above it, with exactly this mode. One that exists gets the mode. */
export function putFolder(path: string, mode: number = FOLDER_MODE): Change {
  if (existsSync(path)) return putMode(path, mode);
  makeFolder(dirname(path));
  mkdirSync(path);
  // The mode of a new folder would be cut by the process's own mask.
  chmodSync(path, mode);
  return "created";
}

/** Writes a file with exactly this mode, at once or not at all. */
export function putText(path: string, text: string, mode: number): Change {
  const before = existsSync(path) ? readFileSync(path, "utf8") : null;
  if (before === text) return putMode(path, mode);
  replace(path, mode, (place) => writeFileSync(place, text, { mode }));
  return before === null ? "created" : "replaced";
}

/** Copies a program, at once or not at all: one that runs keeps running from the old file. */
export async function putProgram(path: string, source: string): Promise<Change> {
  const exists = existsSync(path);
  if (exists && (await isSame(path, source))) return putMode(path, FOLDER_MODE);
  replace(path, FOLDER_MODE, (place) => copyFileSync(source, place));
  return exists ? "replaced" : "created";
}

/** Removes a file. Returns whether there was one. */
export function removeFile(path: string): boolean {
  const exists = existsSync(path);
  rmSync(path, { force: true });
  return exists;
}

function makeFolder(path: string): void {
  if (!existsSync(path)) putFolder(path);
}

function putMode(path: string, mode: number): Change {
  if ((statSync(path).mode & 0o7777) === mode) return "unchanged";
  chmodSync(path, mode);
  return "mode set";
}

function replace(path: string, mode: number, write: (place: string) => void): void {
  makeFolder(dirname(path));
  const place = `${path}.new`;
  try {
    rmSync(place, { force: true });
    write(place);
    chmodSync(place, mode);
    syncFile(place);
    renameSync(place, path);
  } catch (error) {
    rmSync(place, { force: true });
    throw error;
  }
}

/** A name that points to a file whose bytes are not on disk yet would survive a power cut, and the bytes not. */
function syncFile(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  if (statSync(one).size !== statSync(other).size) return false;
  return (await digestOf(one)) === (await digestOf(other));
}

/** Piece by piece: a program is larger than what a small machine has to spare. */
async function digestOf(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const piece of Bun.file(path).stream()) hasher.update(piece);
  return hasher.digest("hex");
}
