import { describe, expect, test } from "bun:test";
import { isSlug, foldUserName, parseName, parseUserName, slugOf } from "../../src/domain/names.ts";

describe("parseName()", () => {
  test("takes away space around a name and keeps it inside", () => {
    expect(parseName("  checkout  app ")).toBe("checkout  app");
  });

  test("counts characters, not their halves", () => {
    expect(parseName("\u{1f511}".repeat(200))).toBe("\u{1f511}".repeat(200));
    expect(parseName("\u{1f511}".repeat(201))).toBeNull();
  });

  const BAD = [
    "",
    "   ",
    "a\nb",
    "a\0b",
    "a\u{85}b",
    "a\u{2028}b",
    "a\u{202e}b",
    "a\u{200f}b",
    "a\ud800b",
    "x".repeat(201),
  ];
  test.each(BAD)("refuses %p", (text) => {
    expect(parseName(text)).toBeNull();
  });
});

describe("a user's name", () => {
  const SAME = ["ali", "ALI", " Ali ", "\u{ff21}\u{ff4c}\u{ff49}", "ali\u{a0}"];
  test.each(SAME)("written %p is the same user", (text) => {
    expect(foldUserName(text)).toBe("ali");
  });

  test("may be an address", () => {
    expect(parseUserName("Ali.Baba@Example.com")).toBe("ali.baba@example.com");
  });

  const BAD = ["", " ", "a:b", "a\nb", "\u{ff1a}", "u".repeat(255), "\u{e9}".repeat(128)];
  test.each(BAD)("cannot be %p", (text) => {
    expect(parseUserName(text)).toBeNull();
  });
});

test.each([
  ["Acme Europe", "acme-europe"],
  ["  --x--  ", "x"],
  ["Caf\u00e9 No. 5", "cafe-no-5"],
  ["\u4e2d\u6587", null],
  ["a".repeat(200), "a".repeat(63)],
])("the slug of %p is %p", (name, slug) => {
  expect(slugOf(name)).toBe(slug);
  if (slug !== null) expect(isSlug(slug)).toBe(true);
});

test.each(["", "-a", "a-", "a--b", "A", "a b", "a/b", "a".repeat(64)])("%p is no slug", (text) => {
  expect(isSlug(text)).toBe(false);
});
