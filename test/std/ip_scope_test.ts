import { expect, test } from "bun:test";
import { parseIpAddress } from "../../src/std/ip_address.ts";
import { type IpScope, ipScope } from "../../src/std/ip_scope.ts";

function scopeOf(text: string): IpScope {
  const bytes = parseIpAddress(text);
  if (bytes === null) throw new SyntaxError(`Expected an address, not "${text}"`);
  return ipScope(bytes);
}

const SCOPES: Readonly<Record<IpScope, readonly string[]>> = {
  public: [
    "1.0.0.0",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::1",
    "2001:200::1",
    "2606:4700::6810:1",
    "2001:db7:ffff::",
    "2001:db9::",
    "3ffe:ffff::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
  ],
  private: [
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.255",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.255",
    "::1",
    "100::1",
    "2001::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fdff:ffff::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "64:ff9b::192.168.1.1",
    "2002:7f00:1::",
    "2002:a00:1:2::3",
  ],
  never: [
    "0.0.0.0",
    "0.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "192.0.0.192",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::2",
    "::8.8.8.8",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "fe80::1",
    "febf:ffff::1",
    "ff00::",
    "ff02::1",
    "4000::1",
    "1fff::1",
    "5f00::1",
    "fd00:42::42",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:0.0.0.0",
    "::ffff:168.63.129.16",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1",
    "2002:e000:1::",
  ],
};

for (const scope of ["public", "private", "never"] as const) {
  test.each(SCOPES[scope])(`%s is ${scope}`, (text) => expect(scopeOf(text)).toBe(scope));
}

test("an address in IPv6 is judged no better than the IPv4 address that it stands for", () => {
  const rank: Record<IpScope, number> = { public: 0, private: 1, never: 2 };
  for (let round = 0; round < 2000; round += 1) {
    const v4 = crypto.getRandomValues(new Uint8Array(4));
    const [a = 0, b = 0, c = 0, d = 0] = v4;
    const own = rank[ipScope(v4)];
    const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    expect(rank[scopeOf(`::ffff:${groups}`)]).toBe(own);
    expect(rank[scopeOf(`64:ff9b::${groups}`)]).toBe(own);
    expect(rank[scopeOf(`2002:${groups}::`)]).toBe(own);
  }
});
