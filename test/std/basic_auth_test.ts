import { describe, expect, test } from "bun:test";
import { parseBasicAuth } from "../../src/std/basic_auth.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

function parse(header: string | null): [user: string, password: string] | null {
  const parsed = parseBasicAuth(header);
  return parsed === null ? null : [parsed.user, parsed.password.reveal()];
}

describe("parseBasicAuth()", () => {
  const GOOD: [why: string, header: string, user: string, password: string][] = [
    ["a user and a password", basic("ali:open sesame"), "ali", "open sesame"],
    ["the first colon splits", basic("ali:a:b:"), "ali", "a:b:"],
    ["both may be empty", basic(":"), "", ""],
    ["UTF-8", basic("\u{e9}lise:\u{1f511}"), "\u{e9}lise", "\u{1f511}"],
    ["a byte order mark is a character", basic("\u{feff}a:b"), "\u{feff}a", "b"],
    ["the scheme in any case", basic("a:b").replace("Basic", "bASIC"), "a", "b"],
    ["several spaces", basic("a:b").replace(" ", "   "), "a", "b"],
    ["no padding", basic("a:bc").replaceAll("=", ""), "a", "bc"],
    [
      "both at their longest",
      basic(`${"u".repeat(254)}:${"p".repeat(1024)}`),
      "u".repeat(254),
      "p".repeat(1024),
    ],
  ];
  test.each(GOOD)("takes %s", (_, header, user, password) => {
    expect(parse(header)).toEqual([user, password]);
  });

  const BAD: [why: string, header: string | null][] = [
    ["no header", null],
    ["an empty header", ""],
    ["another scheme", basic("a:b").replace("Basic", "Bearer")],
    ["no credentials", "Basic "],
    ["no colon", basic("ali")],
    ["no base64", "Basic a:b"],
    ["base64 of the wrong length", "Basic YTpiY"],
    ["two values in one header", `${basic("a:b")}, ${basic("c:d")}`],
    ["bytes that are not UTF-8", `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString("base64")}`],
    ["a line feed", basic("ali:open\nsesame")],
    ["a NUL", basic("ali\0:x")],
    ["a C1 control", basic("ali:\u{85}")],
    ["a user too long", basic(`${"u".repeat(255)}:p`)],
    ["a user too long in bytes", basic(`${"\u{e9}".repeat(128)}:p`)],
    ["a password too long", basic(`u:${"p".repeat(1025)}`)],
    ["a header of a megabyte", basic("u:".padEnd(1 << 20, "p"))],
  ];
  test.each(BAD)("refuses %s", (_, header) => {
    expect(parse(header)).toBeNull();
  });

  test("the password does not print", () => {
    expect(Bun.inspect(parseBasicAuth(basic("ali:open sesame")))).not.toContain("sesame");
  });
});
