import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Returns a secret as it is, and as it would stand in other clothes. */
export function formsOf(secret: string | Uint8Array): string[] {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  const hex = bytes.toHex();
  const text = Buffer.from(bytes).toString("latin1");
  const pairs = hex.match(/../g) ?? [];
  return [
    text,
    [...text].toReversed().join(""),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(text),
    pairs.map((pair) => `%${pair}`).join(""),
    pairs.map((pair) => `%${pair.toUpperCase()}`).join(""),
    pairs.map((pair) => `\\u00${pair}`).join(""),
    [...bytes].join(","),
    ...[0, 1, 2].flatMap((before) => base64Within(bytes, before)),
  ];
}

/** Base64 of a longer text that holds the bytes behind so many others: only what depends on them alone. */
function base64Within(bytes: Uint8Array, before: number): string[] {
  const whole = new Uint8Array(before + bytes.length);
  whole.set(bytes, before);
  const first = Math.ceil((before * 8) / 6);
  const end = Math.floor((whole.length * 8) / 6);
  const text = whole.toBase64().slice(first, end);
  return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
}

/** Reads every file below a folder, one character for each byte. Sockets are passed over. */
export function textsIn(folder: string, except: readonly string[] = []): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !except.includes(name) && statSync(join(folder, name)).isFile())
    .map((name) => readFileSync(join(folder, name), "latin1"));
}

/** Returns which of the forms stand in which texts, by the texts' beginnings. */
export function found(forms: readonly string[], texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    forms
      .filter((form) => text.includes(form))
      .map((form) => `${form} in ${text.slice(0, 80).replaceAll(/[^\x20-\x7e]/g, ".")}`),
  );
}
