import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpAddress } from "../../src/std/ip_address.ts";
import { inRange, parseIpRange } from "../../src/std/ip_range.ts";

function holds(range: string, address: string): boolean {
  const bytes = parseIpAddress(address);
  if (bytes === null) throw new SyntaxError(`Expected an address, not "${address}"`);
  return inRange(parseIpRange(range), bytes);
}

describe("a range", () => {
  const CASES: [range: string, inside: string[], outside: string[]][] = [
    [
      "10.0.0.0/8",
      ["10.0.0.0", "10.255.255.255"],
      ["9.255.255.255", "11.0.0.0", "::ffff:10.0.0.1"],
    ],
    ["10.1.2.3/8", ["10.9.9.9"], ["11.1.2.3"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.0"]],
    ["192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]],
    ["192.0.2.7/32", ["192.0.2.7"], ["192.0.2.6"]],
    ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1"]],
    ["2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::", "192.0.2.1"]],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "::"]],
    ["::/0", ["::", "ffff::"], ["1.2.3.4"]],
  ];
  test.each(CASES)("%s ends where it should", (range, inside, outside) => {
    for (const address of inside) expect([address, holds(range, address)]).toEqual([address, true]);
    for (const address of outside)
      expect([address, holds(range, address)]).toEqual([address, false]);
  });

  test("of any bits holds exactly the addresses that share them", () => {
    const anyV4 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const textOf = (value: number) =>
      [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
    fc.assert(
      fc.property(anyV4, anyV4, fc.nat({ max: 32 }), (a, b, bits) => {
        const shared = bits === 0 || a >>> (32 - bits) === b >>> (32 - bits);
        expect(holds(`${textOf(a)}/${bits}`, textOf(b))).toBe(shared);
      }),
    );
  });

  const MALFORMED = [
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "10.0.0.0/8 ",
    "10.0.0.0/ff",
    "10.0.0/8",
    "10.0.0.0/255.0.0.0",
    "::/129",
    "::1%lo/128",
    "proxy.example",
  ];
  test.each(MALFORMED)("is not %p", (text) => {
    expect(() => parseIpRange(text)).toThrow(SyntaxError);
  });
});
