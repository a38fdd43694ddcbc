const VALID = /^[a-zA-Z0-9]{9}$/;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 9;

/**
 * Returns the tool call id that stands for a client's: Mistral wants nine letters or digits. A valid id
 * stays; any other is replaced by one made of its SHA-256, so a call and its result still match.
 */
export function mistralToolId(id: string): string {
  if (VALID.test(id)) return id;
  const hash = new Bun.CryptoHasher("sha256").update(id).digest();
  let rest = hash.readBigUInt64BE();
  let made = "";
  while (made.length < LENGTH) {
    made += DIGITS[Number(rest % 62n)];
    rest /= 62n;
  }
  return made;
}
