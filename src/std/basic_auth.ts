import { Secret } from "./secret.ts";

/** Bounds the user's name and the password, in bytes of UTF-8. */
export const USER_BYTES_MAX = 254;
export const PASSWORD_BYTES_MAX = 1024;

/** Bounds the header before anything is decoded: both at their longest, in base64. */
const CREDENTIALS_CHARS_MAX = Math.ceil((USER_BYTES_MAX + 1 + PASSWORD_BYTES_MAX) / 3) * 4;

export interface BasicCredentials {
  readonly user: string;
  readonly password: Secret;
}

/**
 * Parses an `Authorization` header of the scheme Basic (RFC 7617): base64 of UTF-8, split at the first colon.
 *
 * @returns Null if it is absent, of another scheme, malformed, too long, or has control characters.
 */
export function parseBasicAuth(header: string | null): BasicCredentials | null {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? "")?.[1];
  if (encoded === undefined || encoded.length > CREDENTIALS_CHARS_MAX) return null;
  const text = decode(encoded);
  if (text === null || /\p{Cc}/u.test(text)) return null;
  const colon = text.indexOf(":");
  if (colon === -1) return null;
  const user = text.slice(0, colon);
  const password = text.slice(colon + 1);
  if (Buffer.byteLength(user) > USER_BYTES_MAX) return null;
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return null;
  return { user, password: new Secret(password) };
}

function decode(encoded: string): string | null {
  try {
    const bytes = Uint8Array.fromBase64(encoded);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
