import { Secret } from "./secret.ts";

/**
 * Parses header fields, one `Name: value` on each line; blank lines and those that begin with `#` say nothing.
 * Values may be passwords, so they cannot be printed.
 *
 * @throws {SyntaxError} If a line is no header field. It says which, but not what stands there.
 */
export function parseHeaderLines(text: string): ReadonlyMap<string, Secret> {
  const headers = new Map<string, Secret>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new SyntaxError(`Cannot parse line ${index + 1}: expected "Name: value"`);
    headers.set(name.toLowerCase(), new Secret(value));
  }
  return headers;
}

const FIELD = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*$/;
