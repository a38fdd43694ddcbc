import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clientAddress } from "../../src/std/client_address.ts";
import { parseIpRange } from "../../src/std/ip_range.ts";

const PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(parseIpRange);
const seen = (peer: string, header: string | null) => clientAddress(peer, header, PROXIES);

describe("the client's address", () => {
  const CASES: [what: string, peer: string, header: string | null, address: string][] = [
    ["nobody forwarded", "192.0.2.1", null, "192.0.2.1"],
    ["a stranger's header", "192.0.2.1", "198.51.100.9", "192.0.2.1"],
    ["a stranger's header that names a proxy", "192.0.2.1", "10.0.0.1", "192.0.2.1"],
    ["a proxy that says nothing", "10.0.0.1", null, "10.0.0.1"],
    ["a proxy's header", "10.0.0.1", "198.51.100.9", "198.51.100.9"],
    ["what the client made up in front", "10.0.0.1", "1.1.1.1, 198.51.100.9", "198.51.100.9"],
    ["two proxies", "10.0.0.1", "198.51.100.9, 10.0.0.2", "198.51.100.9"],
    ["a client that claims to be a proxy", "10.0.0.1", "1.1.1.1, 10.9.9.9, 192.0.2.5", "192.0.2.5"],
    ["proxies all the way", "10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"],
    ["a port", "10.0.0.1", "198.51.100.9:50123", "198.51.100.9"],
    ["IPv6", "10.0.0.1", "2001:DB8::9", "2001:db8::9"],
    ["IPv6 in brackets", "10.0.0.1", "[2001:db8::9]", "2001:db8::9"],
    ["IPv6 with a port", "10.0.0.1", "[2001:db8::9]:443", "2001:db8::9"],
    ["IPv6 proxies", "2001:db8:ffff::1", "198.51.100.9, 2001:db8:ffff:1::2", "198.51.100.9"],
    ["IPv4 on a socket of IPv6", "::ffff:10.0.0.1", "::ffff:198.51.100.9", "198.51.100.9"],
    ["a peer with a zone", "fe80::1%eth0", "198.51.100.9", "fe80::1"],
    ["no peer", "", "198.51.100.9", ""],
    ["space and tabs", "10.0.0.1", " 1.1.1.1 ,\t198.51.100.9  ", "198.51.100.9"],
    // What a proxy did not write as an address leaves us with that proxy's own.
    ["unknown", "10.0.0.1", "unknown", "10.0.0.1"],
    ["a name", "10.0.0.1", "198.51.100.9, client.example", "10.0.0.1"],
    ["nothing behind a comma", "10.0.0.1", "198.51.100.9,", "10.0.0.1"],
    ["nothing at all", "10.0.0.1", "", "10.0.0.1"],
    ["a short form of IPv4", "10.0.0.1", "127.1", "10.0.0.1"],
    ["an octal form", "10.0.0.1", "010.0.0.1", "10.0.0.1"],
    ["IPv4 in brackets", "10.0.0.1", "[198.51.100.9]", "10.0.0.1"],
    ["a bracket too few", "10.0.0.1", "[2001:db8::9", "10.0.0.1"],
    ["a port too many", "10.0.0.1", "198.51.100.9:1:2", "10.0.0.1"],
    ["half broken", "10.0.0.1", "198.51.100.9, ?, 10.0.0.2", "10.0.0.2"],
    ["control characters", "10.0.0.1", "198.51.100.9\u0000", "10.0.0.1"],
    ["another syntax", "10.0.0.1", "for=198.51.100.9", "10.0.0.1"],
  ];
  test.each(CASES)("with %s", (_, peer, header, address) => {
    expect(seen(peer, header)).toBe(address);
  });

  test("is whoever is connected where no proxy is known", () => {
    expect(clientAddress("10.0.0.1", "198.51.100.9", [])).toBe("10.0.0.1");
  });

  test("cannot be chosen by the client, whatever it sends through one proxy", () => {
    fc.assert(
      fc.property(fc.string(), (made) => {
        const header = made === "" ? "192.0.2.5" : `${made}, 192.0.2.5`;
        expect(seen("10.0.0.1", header)).toBe("192.0.2.5");
        expect(seen("192.0.2.5", made)).toBe("192.0.2.5");
      }),
    );
  });
});
