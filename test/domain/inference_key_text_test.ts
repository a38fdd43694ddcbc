import { describe, expect, test } from "bun:test";
import {
  generateInferenceKey,
  hashKey,
  isWellFormed,
  keyPrefix,
} from "../../src/domain/inference_key_text.ts";

describe("an inference key", () => {
  test("is a prefix, 43 characters of the random bits and 6 of their checksum", () => {
    expect(generateInferenceKey(new Uint8Array(32))).toBe(`fdb-inf-${"0".repeat(43)}0oaup2`);
    expect(generateInferenceKey(new Uint8Array(32).fill(255))).toBe(
      "fdb-inf-yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp12THakG",
    );
  });

  test("is another one each time", () => {
    const keys = Array.from({ length: 1000 }, () => generateInferenceKey());
    expect(new Set(keys).size).toBe(1000);
    expect(keys.every((key) => key.length === 57 && isWellFormed(key))).toBe(true);
  });

  test("is not well-formed any more with one character changed, or two swapped", () => {
    const key = generateInferenceKey();
    for (let at = 0; at < key.length; at += 1) {
      const other = key[at] === "a" ? "b" : "a";
      expect(isWellFormed(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
      const swapped =
        key.slice(0, at) +
        key
          .slice(at, at + 2)
          .split("")
          .reverse()
          .join("") +
        key.slice(at + 2);
      if (swapped !== key) expect(isWellFormed(swapped)).toBe(false);
    }
  });

  const key = generateInferenceKey();
  const NOT_KEYS = [
    "",
    "fdb-inf-",
    "sk-1234",
    key.slice(0, -1),
    `${key}0`,
    ` ${key}`,
    `${key}\n`,
    key.toUpperCase(),
    key.replace("fdb-inf-", "fdb_inf_"),
    `${key.slice(0, 20)}\u{e9}${key.slice(21)}`,
  ];
  test.each(NOT_KEYS)("is not %p", (text) => {
    expect(isWellFormed(text)).toBe(false);
  });

  test("is stored as its SHA-256", () => {
    expect(hashKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  test("shows four characters to tell it apart", () => {
    expect(keyPrefix("fdb-inf-AbC9defg")).toBe("fdb-inf-AbC9");
  });
});
