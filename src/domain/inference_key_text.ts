import { base62 } from "../std/base62.ts";

/** `fdb-inf-`, 43 characters of base 62 for 256 random bits, and 6 for the CRC-32 of all before them. */
const PREFIX = "fdb-inf-";
const RANDOM_BYTES = 32;
const RANDOM_CHARS = 43;
const CHECKSUM_CHARS = 6;
const KEY = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_CHARS + CHECKSUM_CHARS}}$`);

/** How many characters behind `fdb-inf-` tell people keys apart. */
const SHOWN_CHARS = 4;

/** Returns the text of a new inference key. @param random 32 bytes that nobody can guess. */
export function generateInferenceKey(
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)),
): string {
  const body = PREFIX + base62(BigInt(`0x${random.toHex()}`), RANDOM_CHARS);
  return body + checksum(body);
}

/** Whether this can be an inference key: it has the form, and its checksum is right. No secret is needed to tell. */
export function isWellFormed(text: string): boolean {
  if (!KEY.test(text)) return false;
  const body = text.slice(0, -CHECKSUM_CHARS);
  return text.slice(-CHECKSUM_CHARS) === checksum(body);
}

/** Returns what is stored instead of the key: its SHA-256 in hex. */
export function hashKey(text: string): string {
  return Bun.SHA256.hash(text, "hex");
}

/** Returns the part of the key that may be shown: `fdb-inf-` and 4 characters. */
export function keyPrefix(text: string): string {
  return text.slice(0, PREFIX.length + SHOWN_CHARS);
}

function checksum(body: string): string {
  return base62(BigInt(Bun.hash.crc32(body)), CHECKSUM_CHARS);
}
