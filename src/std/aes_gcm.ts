/**
 * Sealed bytes, version 1:
 *
 *     offset  0       1           5         21          33
 *             version key id (4)  salt (16) nonce (12)  ciphertext and tag (16)
 *
 * Each record is sealed with AES-256-GCM under a key of its own: HKDF-SHA256 of the sealing key with the
 * record's salt, and the key's purpose as info. Authenticated beside it: version, key id, and what the
 * caller gives. So a record opens only under its key, whole, and where its associated data is the same.
 */
const VERSION = 1;
const KEY_ID_AT = 1;
const SALT_AT = 5;
const NONCE_AT = 21;
const TEXT_AT = 33;
const TAG_BYTES = 16;

/** The bytes of a sealing key. */
export const SEALING_KEY_BYTES = 32;

/** A key that keys of records are derived from. It cannot be read back. */
export interface SealingKey {
  /** The first 4 bytes of its SHA-256, in hex. */
  readonly id: string;
  readonly material: CryptoKey;
  /** What it seals, such as `my-app/tokens/v1`: other purposes derive other keys. */
  readonly purpose: string;
}

/** Why sealed bytes do not open: they are none, another key sealed them, or something was changed. */
export type OpenFailure = "malformed" | "other_key" | "not_authentic";

/** Sealed bytes do not open. */
export class AesGcmError extends Error {
  readonly reason: OpenFailure;

  constructor(reason: OpenFailure, why: string) {
    super(`Cannot open sealed bytes: ${why}`);
    this.reason = reason;
  }
}

/** Imports a key of 32 bytes. @throws {RangeError} If it has another length. */
export async function importSealingKey(
  bytes: Uint8Array<ArrayBuffer>,
  purpose: string,
): Promise<SealingKey> {
  if (bytes.length !== SEALING_KEY_BYTES)
    throw new RangeError(`Cannot import sealing key: ${bytes.length} bytes, not 32`);
  const material = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  return { id: idOfSealingKey(bytes), material, purpose };
}

/** Returns the id of a key: the first 4 bytes of its SHA-256, in hex. It tells keys apart, and nothing of them. */
export function idOfSealingKey(bytes: Uint8Array): string {
  return Bun.SHA256.hash(bytes, "hex").slice(0, 2 * (SALT_AT - KEY_ID_AT));
}

/** Seals bytes with a fresh salt and nonce. They open only with the same associated data. */
export async function sealAesGcm(
  key: SealingKey,
  plaintext: Uint8Array<ArrayBuffer>,
  associatedData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(TEXT_AT);
  head[0] = VERSION;
  head.set(Uint8Array.fromHex(key.id), KEY_ID_AT);
  crypto.getRandomValues(head.subarray(SALT_AT));
  const recordKey = await deriveRecordKey(key, head, "encrypt");
  const text = await crypto.subtle.encrypt(parameters(head, associatedData), recordKey, plaintext);
  const sealed = new Uint8Array(TEXT_AT + text.byteLength);
  sealed.set(head);
  sealed.set(new Uint8Array(text), TEXT_AT);
  return sealed;
}

/** Opens sealed bytes. @throws {AesGcmError} If they do not open, whatever the reason. */
export async function openAesGcm(
  key: SealingKey,
  sealed: Uint8Array<ArrayBuffer>,
  associatedData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const keyId = sealingKeyId(sealed);
  if (keyId !== key.id)
    throw new AesGcmError("other_key", `sealed by key ${keyId}, offered ${key.id}`);
  const recordKey = await deriveRecordKey(key, sealed, "decrypt");
  try {
    const text = sealed.subarray(TEXT_AT);
    return new Uint8Array(
      await crypto.subtle.decrypt(parameters(sealed, associatedData), recordKey, text),
    );
  } catch {
    // The platform tells nothing apart here, and neither may we.
    throw new AesGcmError("not_authentic", "they or what they belong to were changed");
  }
}

/** Returns the id of the key that sealed these bytes. @throws {AesGcmError} If they are no sealed bytes. */
export function sealingKeyId(sealed: Uint8Array): string {
  if (sealed.length < TEXT_AT + TAG_BYTES) throw new AesGcmError("malformed", "too short");
  if (sealed[0] !== VERSION) throw new AesGcmError("malformed", `unknown version ${sealed[0]}`);
  return sealed.slice(KEY_ID_AT, SALT_AT).toHex();
}

function deriveRecordKey(
  key: SealingKey,
  head: Uint8Array<ArrayBuffer>,
  usage: "encrypt" | "decrypt",
): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: head.slice(SALT_AT, NONCE_AT),
      info: new TextEncoder().encode(key.purpose),
    },
    key.material,
    { name: "AES-GCM", length: 256 },
    false,
    [usage],
  );
}

function parameters(head: Uint8Array<ArrayBuffer>, associatedData: Uint8Array) {
  const bound = new Uint8Array(SALT_AT + associatedData.length);
  bound.set(head.subarray(0, SALT_AT));
  bound.set(associatedData, SALT_AT);
  return { name: "AES-GCM", iv: head.slice(NONCE_AT, TEXT_AT), additionalData: bound };
}
