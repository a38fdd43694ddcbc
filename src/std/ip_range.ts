import { parseIpAddress } from "./ip_address.ts";

/** Every address whose first `bits` bits are those of `bytes`. */
export interface IpRange {
  /** 4 or 16. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * Parses a range of IP addresses such as `10.0.0.0/8` or `2001:db8::/32`; an address alone is a range of one.
 *
 * @throws {SyntaxError} If it is malformed.
 */
export function parseIpRange(text: string): IpRange {
  const [address = "", bits, ...rest] = text.split("/");
  const bytes = parseIpAddress(address);
  if (bytes === null || rest.length > 0) throw malformed(text);
  const bitsMax = 8 * bytes.length;
  if (bits === undefined) return { bytes, bits: bitsMax };
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > bitsMax) throw malformed(text);
  return { bytes, bits: Number(bits) };
}

/** Whether an address of 4 or 16 bytes is in a range. One of IPv4 is in no range of IPv6. */
export function inRange({ bytes, bits }: IpRange, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  return bytes.every((byte, index) => {
    // How many bits of this byte belong to the range's name.
    const named = Math.min(8, Math.max(0, bits - 8 * index));
    return byte >> (8 - named) === (address[index] ?? 0) >> (8 - named);
  });
}

function malformed(text: string): SyntaxError {
  return new SyntaxError(`Cannot parse range "${text}": expected an IP address, or ADDRESS/BITS`);
}
