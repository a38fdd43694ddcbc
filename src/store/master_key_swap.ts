import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { idOfSealingKey, SEALING_KEY_BYTES } from "../std/aes_gcm.ts";
import {
  MasterKeyFileError,
  readMasterKeyFile,
  syncFolder,
  writeMasterKeyFile,
} from "./master_key_file.ts";

/** Returns where the key waits that will replace the master key at a path. */
export function nextMasterKeyPath(path: string): string {
  return `${path}.next`;
}

/** Returns where a master key is kept that was replaced: backups from its time still need it. */
export function keptMasterKeyPath(path: string, keyId: string): string {
  return `${path}.${keyId}`;
}

/**
 * Returns the key that will replace the master key at a path: the one that waits there, else a new one. When
 * this returns, it survives a power cut.
 *
 * @throws {MasterKeyFileError} If it cannot be read or written.
 */
export function ensureNextMasterKey(path: string): Uint8Array<ArrayBuffer> {
  const next = nextMasterKeyPath(path);
  const waiting = readMasterKeyFile(next);
  if (waiting !== null) return waiting;
  const like = existsSync(path) ? path : dirname(path);
  const drawn = crypto.getRandomValues(new Uint8Array(SEALING_KEY_BYTES));
  writeWhole(next, drawn, like);
  return drawn;
}

/**
 * Puts the next master key in its place, and keeps the one before under its id. At every moment a key stands at
 * the path, and when this returns all of it survives a power cut.
 *
 * @throws {MasterKeyFileError} If there is no next key, or the files cannot be written.
 */
export function swapMasterKeys(path: string): void {
  const next = nextMasterKeyPath(path);
  if (readMasterKeyFile(next) === null)
    throw new MasterKeyFileError("read", next, "there is no such file");
  keep(path);
  move(next, path);
}

/** Returns the path of a key with one of these ids that lies beside the master key's place; null if there is none. */
export function findMasterKeyBeside(path: string, keyIds: readonly string[]): string | null {
  const places = [nextMasterKeyPath(path), ...keyIds.map((id) => keptMasterKeyPath(path, id))];
  return places.find((place) => keyIds.includes(idAt(place) ?? "")) ?? null;
}

function keep(path: string): void {
  if (!existsSync(path)) return;
  const id = idAt(path);
  // What holds no key is not lost either.
  if (id === null) return move(path, `${path}.unusable`);
  const kept = keptMasterKeyPath(path, id);
  const key = readMasterKeyFile(path);
  if (key !== null && !existsSync(kept)) writeWhole(kept, key, path);
}

function idAt(path: string): string | null {
  try {
    const key = readMasterKeyFile(path);
    return key === null ? null : idOfSealingKey(key);
  } catch (error) {
    if (error instanceof MasterKeyFileError) return null;
    throw error;
  }
}

/** Writes a key so that at its path is all of it or nothing. */
function writeWhole(path: string, key: Uint8Array, like: string): void {
  const draft = `${path}.draft`;
  rmSync(draft, { force: true });
  writeMasterKeyFile(draft, key, like);
  move(draft, path);
}

function move(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(dirname(to));
}
