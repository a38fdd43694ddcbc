/** Bounds names that people give, in characters. */
export const NAME_CHARS_MAX = 200;

/** Bounds the name of a user, in bytes: what HTTP basic authentication carries here. */
export const USER_NAME_BYTES_MAX = 254;

/** Control characters, halves of characters, line ends, and marks that turn text around on a screen. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Returns a name without space around it, or null if it is empty, too long or not printable. */
export function parseName(text: string): string | null {
  const name = text.trim();
  if (UNPRINTABLE.test(name)) return null;
  const chars = Array.from(name).length;
  return chars >= 1 && chars <= NAME_CHARS_MAX ? name : null;
}

/** Folds what somebody typed as a user's name: however it is written, it finds one user. */
export function foldUserName(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim();
}

/** Returns the folded name for a new user, or null if nobody could sign in with it. */
export function parseUserName(text: string): string | null {
  const name = foldUserName(text);
  if (name === "" || name.includes(":") || UNPRINTABLE.test(name)) return null;
  return Buffer.byteLength(name) <= USER_NAME_BYTES_MAX ? name : null;
}

/** Bounds what stands for an organization on command lines, in characters. */
export const SLUG_CHARS_MAX = 63;

/** Whether a text can stand for an organization: `acme-europe`. */
export function isSlug(text: string): boolean {
  return text.length <= SLUG_CHARS_MAX && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(text);
}

/** Makes a slug of a name, or null if nothing of the name can stand in one. */
export function slugOf(name: string): string | null {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, "");
  const words = plain.replaceAll(/[^a-z0-9]+/g, "-").slice(0, SLUG_CHARS_MAX);
  const slug = words.replace(/^-/, "").replace(/-$/, "");
  return slug === "" ? null : slug;
}
