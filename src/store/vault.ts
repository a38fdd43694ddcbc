import type { ProviderId } from "../domain/provider.ts";
import { AesGcmError, type OpenFailure } from "../std/aes_gcm.ts";
import { lengthPrefixed } from "../std/length_prefixed.ts";
import { Secret } from "../std/secret.ts";
import { MasterKey } from "./master_key_crypto.ts";
import { type KeyRing, openKeyRing } from "./master_key_ring.ts";
import { sealedBy } from "./sealed_text.ts";
import type { Db } from "./tables.ts";

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

/** Seals provider keys with the master key, and opens those that it or the one before it sealed. */
export class Vault {
  /** The id of the master key that the vault was opened with. */
  readonly openedWith: string;
  #ring: KeyRing;

  private constructor(openedWith: string, ring: KeyRing) {
    this.openedWith = openedWith;
    this.#ring = ring;
  }

  /**
   * Opens the vault. The first master key that a database meets is the one it needs from then on.
   *
   * @param masterKey 32 bytes. While two master keys are in use, either of them opens both.
   * @throws {WrongMasterKeyError} If the database needs another key; then nothing was written.
   * @throws {DamagedKeyRingError} If one of two keys does not open with the other.
   */
  static async open(db: Db, masterKey: Uint8Array<ArrayBuffer>, nowMs: number): Promise<Vault> {
    const offered = await MasterKey.import(masterKey);
    return new Vault(offered.id, await openKeyRing(db, offered, nowMs));
  }

  /** The id of the master key that seals: the first 8 hex digits of its SHA-256. */
  get keyId(): string {
    return this.#ring.primary.id;
  }

  /** The master keys in use. */
  get ring(): KeyRing {
    return this.#ring;
  }

  /** Uses other master keys from now on: those that the database was just made to need. */
  use(ring: KeyRing): void {
    this.#ring = ring;
  }

  /** Seals a provider key for one row, and returns what the row stores: base64. */
  sealProviderKey(text: string, owner: KeyOwner): Promise<string> {
    return this.#ring.primary.sealProviderKey(text, ownerData(owner));
  }

  /** Whether one of the master keys in use sealed this: what another one sealed must not be stored. */
  knows(sealed: string): boolean {
    return this.#sealer(sealed) !== null;
  }

  /** Opens what a row stores. @throws {UnreadableProviderKeyError} If it was not sealed for this row. */
  async openProviderKey(sealed: string, owner: KeyOwner): Promise<Secret> {
    // What no key of ours sealed is given to one all the same: it says why it does not open.
    const key = this.#sealer(sealed) ?? this.#ring.primary;
    try {
      return new Secret(await key.openProviderKey(sealed, ownerData(owner)));
    } catch (error) {
      if (error instanceof AesGcmError) throw new UnreadableProviderKeyError(owner, error.reason);
      throw error;
    }
  }

  #sealer(sealed: string): MasterKey | null {
    const { primary, previous } = this.#ring;
    const id = sealedBy(sealed);
    if (id === primary.id) return primary;
    return previous !== null && id === previous.id ? previous : null;
  }
}

function ownerData(owner: KeyOwner): Uint8Array {
  const { organizationId, provider, configId } = owner;
  return lengthPrefixed("provider_configs", "sealed_key", organizationId, provider, configId);
}
