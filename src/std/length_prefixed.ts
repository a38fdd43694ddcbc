/**
 * Joins fields into bytes that no other list of fields gives: each stands as UTF-8 behind its length in
 * bytes (4 bytes, big-endian), so `"ab","c"` and `"a","bc"` differ.
 */
export function lengthPrefixed(...fields: readonly string[]): Uint8Array<ArrayBuffer> {
  const encoded = fields.map((field) => new TextEncoder().encode(field));
  const joined = new Uint8Array(encoded.reduce((sum, bytes) => sum + 4 + bytes.length, 0));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const bytes of encoded) {
    view.setUint32(at, bytes.length);
    joined.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return joined;
}
