import { expect, test } from "bun:test";
import { parseUuid } from "../../src/std/uuid.ts";

const ID = "019ecb27-2200-7440-b544-60b8e41c1f2c";

test("a UUID is read in any case", () => {
  expect(parseUuid(ID)).toBe(ID);
  expect(parseUuid(ID.toUpperCase())).toBe(ID);
});

const BAD = [
  "",
  "me",
  ID.slice(1),
  `${ID}0`,
  ID.replaceAll("-", ""),
  `{${ID}}`,
  `${ID}\n`,
  ID.replace("0", "g"),
  `${ID.slice(0, 35)}%`,
];

test.each(BAD)("%p is no UUID", (text) => {
  expect(parseUuid(text)).toBeNull();
});
