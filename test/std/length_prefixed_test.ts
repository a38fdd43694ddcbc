import { expect, test } from "bun:test";
import { lengthPrefixed } from "../../src/std/length_prefixed.ts";

test("each field stands behind its length in bytes", () => {
  expect(lengthPrefixed("ab", "", "\u{e9}").toHex()).toBe("0000000261620000000000000002c3a9");
});

test("moving a character from one field to the next gives other bytes", () => {
  const lists = [["ab", "c"], ["a", "bc"], ["abc", ""], ["", "abc"], ["abc"], ["ab", "c", ""]];
  const joined = lists.map((fields) => lengthPrefixed(...fields).toHex());
  expect(new Set(joined).size).toBe(lists.length);
});
