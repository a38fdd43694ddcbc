import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { SEALING_KEY_BYTES } from "../std/aes_gcm.ts";

/** The longest form of a key, in hex, with room for a line end; anything longer is no key. */
const FILE_BYTES_MAX = 128;

/** Below this many different bytes, 32 bytes were not drawn at random. */
const DISTINCT_BYTES_MIN = 8;

/** The master key cannot be read from its file, or must not be used. */
export class MasterKeyFileError extends Error {
  constructor(verb: "read" | "create", path: string, why: string) {
    super(`Cannot ${verb} master key file "${path}": ${why}`);
  }
}

/**
 * Reads the master key: 32 bytes raw, in hex, or in base64.
 *
 * @param guarded Whether the folder keeps others out, as a service manager's credentials folder does. There
 *   an access list lets the service in, and shows in the file's mode as access for the group.
 * @returns The key, or null if there is no such file.
 * @throws {MasterKeyFileError} If others may read the file, or it holds no key, or a weak one.
 */
export function readMasterKeyFile(
  path: string,
  { guarded = false }: { readonly guarded?: boolean } = {},
): Uint8Array<ArrayBuffer> | null {
  const refuse = (why: string) => new MasterKeyFileError("read", path, why);
  const file = open(path, "r", refuse);
  if (file === null) return null;
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw refuse("it is not a file");
    const othersMode = guarded ? 0o007 : 0o077;
    if ((status.mode & othersMode) !== 0)
      throw refuse(`others may read it (mode ${(status.mode & 0o777).toString(8)}, want 600)`);
    const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
    const key = decodeKey(bytes.subarray(0, readSync(file, bytes)));
    if (key === null) throw refuse("expected 32 random bytes, raw, in hex or in base64");
    if (isWeakMasterKey(key)) throw refuse("the key is weak; draw 32 random bytes");
    return key;
  } finally {
    closeSync(file);
  }
}

/**
 * Draws a master key and writes it, in hex, to a new file that only its owner may read. When this returns,
 * the key survives a power cut.
 *
 * @throws {MasterKeyFileError} If the file exists or cannot be written.
 */
export function createMasterKeyFile(path: string): Uint8Array<ArrayBuffer> {
  const key = crypto.getRandomValues(new Uint8Array(SEALING_KEY_BYTES));
  writeMasterKeyFile(path, key);
  return key;
}

/**
 * Writes a master key as `createMasterKeyFile` does.
 *
 * @param like A file or folder whose owner shall own the new file: who writes it may be root, who reads it is not.
 * @throws {MasterKeyFileError} If the file exists or cannot be written.
 */
export function writeMasterKeyFile(path: string, key: Uint8Array, like?: string): void {
  const refuse = (why: string) => new MasterKeyFileError("create", path, why);
  const file = open(path, "wx", refuse);
  if (file === null) throw refuse("its folder does not exist");
  try {
    if (like !== undefined) giveTo(file, like);
    writeSync(file, `${key.toHex()}\n`);
    fsyncSync(file);
    syncFolder(dirname(path));
  } catch (error) {
    unlinkSync(path);
    throw refuse(reason(error));
  } finally {
    closeSync(file);
  }
}

/** Whether bytes are too regular to have been drawn at random. */
export function isWeakMasterKey(key: Uint8Array): boolean {
  const isCounted = key.every((byte, index) => index === 0 || byte === (key[index - 1] ?? 0) + 1);
  return isCounted || new Set(key).size < DISTINCT_BYTES_MIN;
}

/** Makes what was created, renamed or removed in a folder survive a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function giveTo(file: number, like: string): void {
  const { uid, gid } = statSync(like);
  const own = fstatSync(file);
  if (own.uid !== uid || own.gid !== gid) fchownSync(file, uid, gid);
}

function open(path: string, flags: "r" | "wx", refuse: (why: string) => Error): number | null {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw refuse(reason(error));
  }
}

function decodeKey(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const text = new TextDecoder("latin1").decode(bytes).trim();
  // 32 printable characters are a passphrase, or half a key in hex: never what 32 random bytes look like.
  if (bytes.length === SEALING_KEY_BYTES && !/^[\x20-\x7e]*$/.test(text)) return bytes.slice();
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.fromHex(text);
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text))
    return Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  return null;
}

function errorCode(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

function reason(error: unknown): string {
  const code = errorCode(error);
  if (code === "EEXIST") return "it exists";
  if (code === "EACCES") return "this user may not open it";
  return typeof code === "string" ? `the system says ${code}` : "the system does not say why";
}
