import type { ProviderId } from "../domain/provider.ts";
import {
  AesGcmError,
  importSealingKey,
  openAesGcm,
  type OpenFailure,
  sealAesGcm,
  type SealingKey,
  sealingKeyId,
} from "../std/aes_gcm.ts";
import { lengthPrefixed } from "../std/length_prefixed.ts";
import { Secret } from "../std/secret.ts";
import type { Db } from "./tables.ts";

/** What the master key seals: another purpose would derive other keys from it. */
const PURPOSE = "fdb-inf/provider-key/v1";

/** What a check value seals. It opens with the right master key, and with no other. */
const CHECK_TEXT = "inference-proxy master key";

/** The master key offered is not the one that sealed what the database holds. */
export class WrongMasterKeyError extends Error {
  readonly neededId: string;
  readonly offeredId: string;

  constructor(neededId: string, offeredId: string) {
    // Two keys can share an id of 4 bytes, and only one of them opens the check value.
    const offered = neededId === offeredId ? "the key offered only shares its id" : offeredId;
    super(`Cannot open vault: the database needs master key ${neededId}, offered: ${offered}`);
    this.neededId = neededId;
    this.offeredId = offeredId;
  }
}

/** A stored provider key does not open: its row was changed, moved or sealed by another master key. */
export class UnreadableProviderKeyError extends Error {
  readonly reason: OpenFailure;

  constructor(owner: KeyOwner, reason: OpenFailure) {
    super(`Cannot open provider key: that of provider config ${owner.configId} is unreadable`);
    this.reason = reason;
  }
}

/** The row that a provider key belongs to. In any other row it does not open. */
export interface KeyOwner {
  readonly organizationId: string;
  readonly provider: ProviderId;
  readonly configId: string;
}

/** Seals and opens provider keys with the master key. */
export class Vault {
  readonly #key: SealingKey;

  private constructor(key: SealingKey) {
    this.#key = key;
  }

  /**
   * Opens the vault. The first master key that a database meets is the one it needs from then on.
   *
   * @param masterKey 32 bytes.
   * @throws {WrongMasterKeyError} If the database needs another key; then nothing was written.
   */
  static async open(db: Db, masterKey: Uint8Array<ArrayBuffer>, nowMs: number): Promise<Vault> {
    const key = await importSealingKey(masterKey, PURPOSE);
    const known = await db.selectFrom("master_keys").selectAll().orderBy("created_at_ms").execute();
    const check = known.find((row) => row.id === key.id);
    if (check === undefined && known.length > 0)
      throw new WrongMasterKeyError(known.map((row) => row.id).join(" or "), key.id);
    const sealed = await db.selectFrom("provider_configs").select("sealed_key").execute();
    for (const row of sealed) requireSealedBy(key, row.sealed_key);
    if (check === undefined) {
      const value = await sealText(key, CHECK_TEXT, checkData(key.id));
      await db
        .insertInto("master_keys")
        .values({ id: key.id, check_value: value, created_at_ms: nowMs })
        .execute();
    } else {
      await requireCheckValue(key, check.check_value);
    }
    return new Vault(key);
  }

  /** The id of the master key: the first 8 hex digits of its SHA-256. */
  get keyId(): string {
    return this.#key.id;
  }

  /** Seals a provider key for one row, and returns what the row stores: base64. */
  sealProviderKey(text: string, owner: KeyOwner): Promise<string> {
    return sealText(this.#key, text, ownerData(owner));
  }

  /** Opens what a row stores. @throws {UnreadableProviderKeyError} If it was not sealed for this row. */
  async openProviderKey(sealed: string, owner: KeyOwner): Promise<Secret> {
    try {
      return new Secret(await openText(this.#key, sealed, ownerData(owner)));
    } catch (error) {
      if (error instanceof AesGcmError) throw new UnreadableProviderKeyError(owner, error.reason);
      throw error;
    }
  }
}

/** Returns the ids of the master keys that a database needs: none before the first vault was opened on it. */
export async function neededMasterKeyIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom("master_keys").select("id").orderBy("created_at_ms").execute();
  return rows.map((row) => row.id);
}

function requireSealedBy(key: SealingKey, sealed: string): void {
  let id: string;
  try {
    id = sealingKeyId(decodeBase64(sealed));
  } catch {
    return; // Nothing opens a broken row, so no key is the wrong one for it.
  }
  if (id !== key.id) throw new WrongMasterKeyError(id, key.id);
}

async function requireCheckValue(key: SealingKey, checkValue: string): Promise<void> {
  try {
    await openText(key, checkValue, checkData(key.id));
  } catch (error) {
    if (error instanceof AesGcmError) throw new WrongMasterKeyError(key.id, key.id);
    throw error;
  }
}

function ownerData(owner: KeyOwner): Uint8Array {
  const { organizationId, provider, configId } = owner;
  return lengthPrefixed("provider_configs", "sealed_key", organizationId, provider, configId);
}

function checkData(keyId: string): Uint8Array {
  return lengthPrefixed("master_keys", "check_value", keyId);
}

async function sealText(key: SealingKey, text: string, data: Uint8Array): Promise<string> {
  return (await sealAesGcm(key, new TextEncoder().encode(text), data)).toBase64();
}

async function openText(key: SealingKey, sealed: string, data: Uint8Array): Promise<string> {
  return new TextDecoder().decode(await openAesGcm(key, decodeBase64(sealed), data));
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new AesGcmError("malformed", "not base64");
  }
}
