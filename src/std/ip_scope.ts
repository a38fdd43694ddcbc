import { inRange, parseIpRange } from "./ip_range.ts";
import { lazy } from "./lazy.ts";

/**
 * Who may be behind an address: anybody (`public`), this machine or its own network (`private`), or something
 * that no program means to call (`never`): machines' metadata, every machine at once, no machine at all.
 */
export type IpScope = "public" | "private" | "never";

/** The scope of ranges. Of several that hold an address, the narrowest counts. */
const RANGES: readonly (readonly [range: string, scope: IpScope])[] = [
  ["0.0.0.0/0", "public"],
  // "This network": a connection to it reaches this machine.
  ["0.0.0.0/8", "never"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "private"],
  // Metadata of virtual machines outside the range below, where most have it.
  ["100.100.100.200/32", "never"],
  ["168.63.129.16/32", "never"],
  ["192.0.0.192/32", "never"],
  ["127.0.0.0/8", "private"],
  ["169.254.0.0/16", "never"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "private"],
  ["192.0.2.0/24", "private"],
  ["192.88.99.0/24", "private"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "private"],
  ["198.51.100.0/24", "private"],
  ["203.0.113.0/24", "private"],
  ["224.0.0.0/4", "never"],
  ["240.0.0.0/4", "never"],
  // Of IPv6 one eighth is given out; the rest is for special purposes or none yet.
  ["::/0", "never"],
  ["2000::/3", "public"],
  ["::1/128", "private"],
  ["100::/64", "private"],
  ["2001::/23", "private"],
  ["2001:db8::/32", "private"],
  ["3fff::/20", "private"],
  ["fc00::/7", "private"],
  ["fec0::/10", "private"],
  // Metadata again.
  ["fd00:42::42/128", "never"],
  ["fd00:ec2::254/128", "never"],
  ["fd20:ce::254/128", "never"],
  // IPv4 in IPv6: what is inside is judged too. In 64:ff9b:1::/48 each network puts it where it likes.
  ["::ffff:0:0/96", "public"],
  ["64:ff9b::/96", "public"],
];

/** Where ranges of IPv6 hold an IPv4 address, by the places of its four bytes. */
const EMBEDDED: readonly (readonly [range: string, places: readonly number[]])[] = [
  ["::ffff:0:0/96", [12, 13, 14, 15]],
  ["64:ff9b::/96", [12, 13, 14, 15]],
  ["2002::/16", [2, 3, 4, 5]],
];

const scopes = lazy(() =>
  RANGES.map(([text, scope]) => ({ ...parseIpRange(text), scope })).sort((a, b) => b.bits - a.bits),
);
const tunnels = lazy(() => EMBEDDED.map(([text, places]) => ({ ...parseIpRange(text), places })));
const WORST: readonly IpScope[] = ["never", "private", "public"];

/** Returns the scope of an address of 4 or 16 bytes. An IPv4 address inside one of IPv6 counts as well. */
export function ipScope(address: Uint8Array): IpScope {
  const own = scopes().find((range) => inRange(range, address))?.scope ?? "never";
  const inside = tunnels()
    .filter((range) => inRange(range, address))
    .map(({ places }) => ipScope(Uint8Array.from(places, (place) => address[place] ?? 0)));
  return WORST.find((scope) => scope === own || inside.includes(scope)) ?? "never";
}
