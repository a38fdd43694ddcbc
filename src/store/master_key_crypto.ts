import { AesGcmError, importSealingKey, type SealingKey } from "../std/aes_gcm.ts";
import { lengthPrefixed } from "../std/length_prefixed.ts";
import { openText, sealText } from "./sealed_text.ts";

/** What a master key seals. For each purpose other keys are derived from it. */
const PURPOSES = {
  providerKey: "fdb-inf/provider-key/v1",
  masterKey: "fdb-inf/master-key/v1",
} as const;

/** What a check value seals. It opens with the right master key, and with no other. */
const CHECK_TEXT = "inference-proxy master key";

/** A master key in memory: it seals provider keys, and while one master key replaces another, that other one. */
export class MasterKey {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #forProviderKeys: SealingKey;
  readonly #forMasterKeys: SealingKey;

  private constructor(
    bytes: Uint8Array<ArrayBuffer>,
    forProviderKeys: SealingKey,
    forMasterKeys: SealingKey,
  ) {
    this.#bytes = bytes;
    this.#forProviderKeys = forProviderKeys;
    this.#forMasterKeys = forMasterKeys;
  }

  /** Imports 32 bytes. @throws {RangeError} If there are more or fewer. */
  static async import(bytes: Uint8Array<ArrayBuffer>): Promise<MasterKey> {
    const forProviderKeys = await importSealingKey(bytes, PURPOSES.providerKey);
    const forMasterKeys = await importSealingKey(bytes, PURPOSES.masterKey);
    return new MasterKey(bytes.slice(), forProviderKeys, forMasterKeys);
  }

  /** The first 8 hex digits of its SHA-256. */
  get id(): string {
    return this.#forProviderKeys.id;
  }

  /** Whether it is the same key: two different ones may share an id. */
  isSameAs(other: MasterKey): boolean {
    return crypto.timingSafeEqual(this.#bytes, other.#bytes);
  }

  /** Seals a provider key. It opens only with the same associated data. */
  sealProviderKey(text: string, data: Uint8Array): Promise<string> {
    return sealText(this.#forProviderKeys, text, data);
  }

  /** Opens a provider key. @throws {AesGcmError} If it does not open, whatever the reason. */
  openProviderKey(sealed: string, data: Uint8Array): Promise<string> {
    return openText(this.#forProviderKeys, sealed, data);
  }

  /** Returns a text that tells this key from every other, those of the same id included. */
  checkValue(): Promise<string> {
    return sealText(this.#forProviderKeys, CHECK_TEXT, checkData(this.id));
  }

  /** Whether a text is a check value of this key. */
  async passes(checkValue: string): Promise<boolean> {
    try {
      return (await openText(this.#forProviderKeys, checkValue, checkData(this.id))) === CHECK_TEXT;
    } catch (error) {
      if (error instanceof AesGcmError) return false;
      throw error;
    }
  }

  /** Seals another master key with this one. */
  wrap(other: MasterKey): Promise<string> {
    return sealText(this.#forMasterKeys, other.#bytes.toHex(), wrapData(other.id, this.id));
  }

  /** Opens another master key that was sealed with this one; null if it does not open as the one with this id. */
  async unwrap(wrapped: string, otherId: string): Promise<MasterKey | null> {
    try {
      const hex = await openText(this.#forMasterKeys, wrapped, wrapData(otherId, this.id));
      return await MasterKey.import(Uint8Array.fromHex(hex));
    } catch (error) {
      if (error instanceof AesGcmError) return null;
      throw error;
    }
  }
}

function checkData(keyId: string): Uint8Array {
  return lengthPrefixed("master_keys", "check_value", keyId);
}

function wrapData(keyId: string, wrappedById: string): Uint8Array {
  return lengthPrefixed("master_keys", "wrapped_key", keyId, wrappedById);
}
