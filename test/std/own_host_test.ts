import { describe, expect, test } from "bun:test";
import { judgeHost, parseOwnHost, type HostVerdict } from "../../src/std/own_host.ts";

const NAMES = new Set(["proxy.example", "admin.example:8443"]);

const HOSTS: readonly (readonly [header: string | null, verdict: HostVerdict])[] = [
  ["localhost", "own"],
  ["localhost:8080", "own"],
  ["LocalHost:9", "own"],
  ["localhost.", "own"],
  ["127.0.0.1", "own"],
  ["127.0.0.1:8080", "own"],
  ["203.0.113.7:80", "own"],
  ["[::1]", "own"],
  ["[::1]:8080", "own"],
  ["[2001:db8::7]:443", "own"],
  ["[::ffff:127.0.0.1]", "own"],
  ["proxy.example", "own"],
  ["proxy.example:1234", "own"],
  ["PROXY.example.:1234", "own"],
  ["proxy.example:", "own"],
  ["admin.example:8443", "own"],
  ["admin.example", "foreign"],
  ["admin.example:443", "foreign"],
  ["evil.example", "foreign"],
  ["proxy.example.evil.example", "foreign"],
  ["xproxy.example", "foreign"],
  ["localhost.evil.example", "foreign"],
  ["127.0.0.1.evil.example", "foreign"],
  ["127.1", "foreign"],
  ["2130706433", "foreign"],
  ["0x7f000001", "foreign"],
  ["256.0.0.1", "foreign"],
  ["under_score", "foreign"],
  [null, "malformed"],
  ["", "malformed"],
  [".", "malformed"],
  [":8080", "malformed"],
  ["localhost, localhost", "malformed"],
  ["localhost,evil.example", "malformed"],
  ["localhost evil.example", "malformed"],
  ["localhost\t", "malformed"],
  ["user@localhost", "malformed"],
  ["localhost/x", "malformed"],
  ["localhost?x", "malformed"],
  ["localhost#x", "malformed"],
  ["localhost\\x", "malformed"],
  ["localhost:80:80", "malformed"],
  ["localhost:99999", "malformed"],
  ["localhost:080808", "malformed"],
  ["localhost:8o", "malformed"],
  ["http://localhost", "malformed"],
  ["%6cocalhost", "malformed"],
  ["l\u00f6calhost", "malformed"],
  ["::1", "malformed"],
  ["[::1", "malformed"],
  ["[::", "malformed"],
  ["[]", "malformed"],
  ["[127.0.0.1]", "malformed"],
  ["[::1%25eth0]", "malformed"],
  ["[::1]x", "malformed"],
  ["x".repeat(254), "malformed"],
];

describe("judgeHost()", () => {
  test.each(HOSTS)("takes %p to be %s", (header, verdict) => {
    expect(judgeHost(header, NAMES)).toBe(verdict);
  });

  test("knows no name that nobody gave it", () => {
    expect(judgeHost("proxy.example", new Set())).toBe("foreign");
    expect(judgeHost("10.0.0.1", new Set())).toBe("own");
  });
});

describe("parseOwnHost()", () => {
  test.each([
    ["Proxy.Example", "proxy.example"],
    ["proxy.example.", "proxy.example"],
    ["proxy.example:8443", "proxy.example:8443"],
    ["proxy_1", "proxy_1"],
    ["[::1]:80", "[::1]:80"],
  ])("reads %s", (text, host) => {
    expect(parseOwnHost(text)).toBe(host);
  });

  test.each(["", "*", "*.example", "https://proxy.example", "a/b", "a b", "a:99999", "[::1"])(
    "refuses %p",
    (text) => {
      expect(() => parseOwnHost(text)).toThrow(SyntaxError);
    },
  );
});
