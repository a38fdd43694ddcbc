/** Without letters and digits that look alike. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

const GROUPS = 4;
const GROUP_CHARS = 4;

/** Makes up a password of 80 random bits that a person can type, such as `qv7k-m2xd-9hts-4pbe`. */
export function generatePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_CHARS));
  const chars = Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return chars.match(/.{4}/g)?.join("-") ?? chars;
}
