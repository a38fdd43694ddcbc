import { expect, test } from "bun:test";
import { dollars, dollarsOfCents, readCents } from "../../src/cli/money.ts";
import { FlagError } from "../../src/std/flags.ts";

test("amounts are written in dollars", () => {
  expect(dollars(123_456_700)).toBe("$1.234567");
  expect(dollarsOfCents(60_050)).toBe("$600.50");
});

test.each([
  ["600", 60_000],
  ["12.5", 1250],
  ["$0.05", 5],
])("%p is %d cents", (text, cents) => expect(readCents("--limit", text)).toBe(cents));

test.each(["", "12.345", "-1", "1e3", "ten", "1,000"])("%p is no amount", (text) => {
  expect(() => readCents("--limit", text)).toThrow(FlagError);
});
