import { expect, test } from "bun:test";
import { parseIpAddress } from "../../src/std/ip_address.ts";

const GOOD: [text: string, hex: string][] = [
  ["0.0.0.0", "00000000"],
  ["192.0.2.7", "c0000207"],
  ["255.255.255.255", "ffffffff"],
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["1::", "00010000000000000000000000000000"],
  ["2001:db8::7", "20010db8000000000000000000000007"],
  ["2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
  ["::2:3:4:5:6:7:8", "00000002000300040005000600070008"],
  ["::ffff:192.0.2.7", "00000000000000000000ffffc0000207"],
  ["64:ff9b::192.0.2.7", "0064ff9b0000000000000000c0000207"],
  ["1:2:3:4:5:6:192.0.2.7", "000100020003000400050006c0000207"],
];

test.each(GOOD)("%s is %s", (text, hex) => {
  expect(parseIpAddress(text)?.toHex()).toBe(hex);
});

const BAD = [
  "",
  "1",
  "127.1",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "1.2.3.04",
  "0x7f.0.0.1",
  "1.2.3.4 ",
  "1.2.3.-4",
  "1.2.3.",
  "1..2.3",
  "example.com",
  ":",
  ":::",
  "1:2",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "1::2::3",
  "12345::",
  "g::",
  ":1",
  "1:",
  "fe80::1%eth0",
  "[::1]",
  "::1.2.3",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "1:2:3:4:5:6:7:1.2.3.4",
];

test.each(BAD)("%p is no address", (text) => {
  expect(parseIpAddress(text)).toBeNull();
});

test("any address that a URL parser writes is read back as the same bytes", () => {
  for (let round = 0; round < 500; round += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    // Long runs of zeros are what the text form is about.
    for (let at = 0; at < 16; at += 1) if ((bytes[(at + 1) % 16] ?? 0) < 128) bytes[at] = 0;
    const groups = Array.from({ length: 8 }, (_, at) => bytes.subarray(2 * at, 2 * at + 2).toHex());
    const text = new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
    expect(parseIpAddress(text)?.toHex()).toBe(bytes.toHex());
    const v4 = bytes.subarray(0, 4);
    expect(parseIpAddress(v4.join("."))?.toHex()).toBe(v4.toHex());
  }
});
