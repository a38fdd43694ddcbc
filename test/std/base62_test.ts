import { expect, test } from "bun:test";
import { base62 } from "../../src/std/base62.ts";

const CASES: [value: bigint, charsMin: number, text: string][] = [
  [0n, 1, "0"],
  [0n, 6, "000000"],
  [9n, 1, "9"],
  [10n, 1, "A"],
  [35n, 1, "Z"],
  [36n, 1, "a"],
  [61n, 1, "z"],
  [62n, 1, "10"],
  [62n * 62n - 1n, 4, "00zz"],
  [2n ** 32n - 1n, 6, "4gfFC3"],
];

test.each(CASES)("%p in at least %p characters is %p", (value, charsMin, text) => {
  expect(base62(value, charsMin)).toBe(text);
});

test("256 bits fit into 43 characters", () => {
  expect(base62(2n ** 256n - 1n, 43)).toHaveLength(43);
});
