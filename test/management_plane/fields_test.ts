import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { flag, name, oneOf, text, wholeNumber } from "../../src/management_plane/fields.ts";

const BIG = wholeNumber(1, Number.MAX_SAFE_INTEGER);

describe("a whole number", () => {
  test.each(["1", "1.0", "1e3", "9007199254740991"])("can be %s", (json) => {
    expect(v.is(BIG, JSON.parse(json))).toBe(true);
  });

  const BAD = [
    "0",
    "-0",
    "-1",
    "1.5",
    "9007199254740992",
    "9007199254740993",
    "1e400",
    '"1"',
    "true",
    "null",
    "[1]",
    "{}",
  ];
  test.each(BAD)("cannot be %s", (json) => {
    expect(v.is(BIG, JSON.parse(json))).toBe(false);
  });

  test("has bounds that count in", () => {
    const rate = wholeNumber(1, 100_000);
    expect([0, 1, 100_000, 100_001].map((value) => v.is(rate, value))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

test("a flag is true or false, and nothing like them", () => {
  expect([true, false, 1, 0, "true", null].map((value) => v.is(flag(), value))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("a word is one of those that there are", () => {
  const status = oneOf("active", "suspended");
  expect(
    ["active", "suspended", "Active", "revoked", null].map((value) => v.is(status, value)),
  ).toEqual([true, true, false, false, false]);
});

test("a name is trimmed and printable", () => {
  expect(v.parse(name(), "  app ")).toBe("app");
  for (const bad of ["", " ", "a\nb", "x".repeat(201), 7]) expect(v.is(name(), bad)).toBe(false);
});

test("what is expected is said without what was given", () => {
  for (const schema of [BIG, flag(), oneOf("active"), name(), text()]) {
    const [issue] = v.safeParse(schema, ["sk-secret"]).issues ?? [];
    expect(issue?.message).toStartWith("expected ");
    expect(issue?.message).not.toContain("sk-secret");
  }
});
