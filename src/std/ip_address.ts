/**
 * Parses an IP address in its usual text form, such as `192.0.2.7` or `2001:db8::7`.
 *
 * @returns Its 4 or 16 bytes; null if the text is anything else, one with a zone or a short form of IPv4 included.
 */
export function parseIpAddress(text: string): Uint8Array | null {
  return text.includes(":") ? parseIpV6(text) : parseIpV4(text);
}

function parseIpV4(text: string): Uint8Array | null {
  const parts = text.split(".");
  // A leading zero means octal to some and decimal to others.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : null;
}

function parseIpV6(text: string): Uint8Array | null {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  if (tail === undefined) return wholeAddress(bytesOfGroups(head, true));
  const before = bytesOfGroups(head, false);
  const after = bytesOfGroups(tail, true);
  // The gap stands for one group of zeros at least.
  if (before === null || after === null || before.length + after.length > 14) return null;
  const zeros: number[] = Array.from({ length: 16 - before.length - after.length }, () => 0);
  return Uint8Array.from([...before, ...zeros, ...after]);
}

function wholeAddress(bytes: number[] | null): Uint8Array | null {
  return bytes?.length === 16 ? Uint8Array.from(bytes) : null;
}

/** Returns the bytes of groups that colons separate; the last may be an IPv4 address at the end of the text. */
function bytesOfGroups(text: string, atEnd: boolean): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const v4 = atEnd && index === groups.length - 1 ? parseIpV4(group) : null;
    if (v4 !== null) bytes.push(...v4);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return null;
  }
  return bytes;
}
