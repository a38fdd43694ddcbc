import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import {
  digits,
  flag,
  name,
  oneOf,
  text,
  uuid,
  wholeNumber,
} from "../../src/management_plane/fields.ts";

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

test("a number that may be zero cannot be minus zero", () => {
  const rate = wholeNumber(0, 10);
  expect(["0", "0.0", "-0", "-0.0"].map((json) => v.is(rate, JSON.parse(json)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("a number in a query is written in digits", () => {
  const limit = digits(1, 200);
  const GOOD = ["1", "200", "007"];
  expect(GOOD.map((value) => v.parse(limit, value))).toEqual([1, 200, 7]);
  for (const bad of ["", "0", "201", "-1", "+1", " 1", "1.0", "1e1", "0x1", "9".repeat(16), 7])
    expect([bad, v.is(limit, bad)]).toEqual([bad, false]);
});

test("an id is a UUID, in lower case from then on", () => {
  const id = "019ecb27-2200-7440-b544-0000000000ff";
  expect(v.parse(uuid(), id.toUpperCase())).toBe(id);
  for (const bad of ["", "x", `${id} `, `{${id}}`, id.slice(1), 7])
    expect(v.is(uuid(), bad)).toBe(false);
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
  for (const schema of [BIG, flag(), oneOf("active"), name(), text(), digits(1, 2), uuid()]) {
    const [issue] = v.safeParse(schema, ["sk-secret"]).issues ?? [];
    expect(issue?.message).toStartWith("expected ");
    expect(issue?.message).not.toContain("sk-secret");
  }
});
