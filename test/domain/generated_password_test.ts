import { expect, test } from "bun:test";
import { generatePassword } from "../../src/domain/generated_password.ts";

const PASSWORDS = Array.from({ length: 2_000 }, () => generatePassword());

test("a password is four groups of four characters that nobody mistakes for others", () => {
  for (const password of PASSWORDS)
    expect(password).toMatch(/^([a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}$/);
});

test("no password comes twice", () => {
  expect(new Set(PASSWORDS).size).toBe(PASSWORDS.length);
});

test("each of 32 characters comes about as often in every place", () => {
  for (const place of [0, 1, 3, 5, 18]) {
    const counts = new Map<string, number>();
    for (const password of PASSWORDS) {
      const char = password.charAt(place);
      counts.set(char, (counts.get(char) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    // 62.5 are expected, with a standard deviation of 8: ten of them are as good as never.
    expect(Math.max(...counts.values())).toBeLessThan(143);
  }
});
