import {
  AesGcmError,
  openAesGcm,
  sealAesGcm,
  type SealingKey,
  sealingKeyId,
} from "../std/aes_gcm.ts";

/** Seals a text, and returns what a column stores: base64. It opens only with the same associated data. */
export async function sealText(key: SealingKey, text: string, data: Uint8Array): Promise<string> {
  return (await sealAesGcm(key, new TextEncoder().encode(text), data)).toBase64();
}

/** Opens what a column stores. @throws {AesGcmError} If it does not open, whatever the reason. */
export async function openText(key: SealingKey, sealed: string, data: Uint8Array): Promise<string> {
  return new TextDecoder().decode(await openAesGcm(key, decodeBase64(sealed), data));
}

/** Returns the id of the key that sealed what a column stores, or null if it is no sealed text. */
export function sealedBy(sealed: string): string | null {
  try {
    return sealingKeyId(decodeBase64(sealed));
  } catch (error) {
    if (error instanceof AesGcmError) return null;
    throw error;
  }
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new AesGcmError("malformed", "not base64");
  }
}
