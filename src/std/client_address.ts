import { parseIpAddress } from "./ip_address.ts";
import { inRange, type IpRange } from "./ip_range.ts";

/**
 * Returns the IP address that a request comes from, seen through proxies: each adds to `X-Forwarded-For`, at its
 * end, who was connected to it. What stands further in front than the last entry that a known proxy added is what
 * the client made up, and so is the whole header if whoever is connected is no such proxy.
 *
 * @param peer The address of whoever is connected; empty if it is not known.
 * @param forwardedFor The header as it came; null if there was none.
 * @returns An address without port, brackets or zone, in lower case; one of IPv4 never inside one of IPv6.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | null,
  proxies: readonly IpRange[],
): string {
  let { text, bytes } = parseHop(peer) ?? { text: peer, bytes: NOWHERE };
  for (const hop of (forwardedFor ?? "").split(",").reverse()) {
    const at = bytes;
    if (!proxies.some((range) => inRange(range, at))) break;
    const before = parseHop(hop.trim());
    // A proxy that did not write an address leaves us with its own.
    if (before === null) break;
    ({ text, bytes } = before);
  }
  return text;
}

interface Hop {
  readonly text: string;
  readonly bytes: Uint8Array;
}

const NOWHERE = new Uint8Array();

/** `192.0.2.7`, `192.0.2.7:50000`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:50000`, perhaps with a zone. */
const HOP =
  /^(?:\[([0-9a-f:.]+)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?|([0-9a-f:.]+)(?:%\w+)?)$/i;

function parseHop(hop: string): Hop | null {
  const [, bracketed, v4, v6] = HOP.exec(hop) ?? [];
  const text = (bracketed ?? v4 ?? v6 ?? "").toLowerCase();
  const bytes = parseIpAddress(text);
  if (bytes === null || (bracketed !== undefined && bytes.length === 4)) return null;
  const inside = mappedV4(bytes);
  return inside === null ? { text, bytes } : { text: inside.join("."), bytes: inside };
}

/** A socket of IPv6 shows clients of IPv4 as `::ffff:192.0.2.7`. */
function mappedV4(bytes: Uint8Array): Uint8Array | null {
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 12).every((byte, at) => byte === (at < 10 ? 0 : 0xff));
  return isMapped ? bytes.subarray(12) : null;
}
