import * as v from "valibot";
import { NAME_CHARS_MAX, parseName, parseUserName, USER_NAME_BYTES_MAX } from "../domain/names.ts";
import { PASSWORD_BYTES_MAX } from "../std/basic_auth.ts";
import { parseRfc3339 } from "../std/rfc3339.ts";
import { parseUuid } from "../std/uuid.ts";

const PASSWORD_CHARS_MIN = 12;

/** A member that must be a whole number from `min` to `max`: no text, no fraction, nothing rounded. */
export function wholeNumber(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.safeInteger(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
    // Readers of JSON disagree whether minus zero is zero.
    v.check((value) => !Object.is(value, -0), expected),
  );
}

/** A parameter that must be a whole number from `min` to `max`, in digits. */
export function digits(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string(expected),
    v.regex(/^\d{1,15}$/, expected),
    v.transform(Number),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
}

/** A parameter that must be the id of something. */
export function uuid() {
  const expected = "expected an id";
  return v.pipe(
    v.string(expected),
    v.metadata({ format: "uuid" }),
    v.transform(parseUuid),
    v.string(expected),
  );
}

/** A member that must be true or false. */
export function flag() {
  return v.boolean("expected true or false");
}

/** A member that must be a string, whatever it says. */
export function text() {
  return v.string("expected a string");
}

/** A member that must be one of the words. */
export function oneOf<const Word extends string>(...words: readonly Word[]) {
  return v.picklist(words, `expected one of ${words.map((word) => `"${word}"`).join(", ")}`);
}

/** A parameter that must be a moment, in milliseconds since the Unix epoch. */
export function moment() {
  const expected = "expected an RFC 3339 time such as 2026-06-01T00:00:00Z";
  return v.pipe(
    v.string(expected),
    v.metadata({ format: "date-time" }),
    // An offset such as +02:00 arrives with a space if its plus was not escaped.
    v.transform((value) => parseRfc3339(value.replace(" ", "+"))),
    v.number(expected),
  );
}

/** A member that names something for people. */
export function name() {
  const expected = `expected 1 to ${NAME_CHARS_MAX} printable characters`;
  return v.pipe(
    v.string(expected),
    v.check((value) => parseName(value) !== null, expected),
    v.transform((value) => value.trim()),
  );
}

/** A member that names a user; folded, as it is stored. */
export function userName() {
  return v.pipe(
    text(),
    v.check(
      (value) => parseUserName(value) !== null,
      `expected 1 to ${USER_NAME_BYTES_MAX} bytes of printable characters without a colon`,
    ),
    v.transform((value) => parseUserName(value) ?? ""),
  );
}

/** A member that becomes a user's password. */
export function newPassword() {
  return v.pipe(
    text(),
    v.check(
      isPassword,
      `expected at least ${PASSWORD_CHARS_MIN} characters, at most ${PASSWORD_BYTES_MAX} bytes, no control characters`,
    ),
  );
}

function isPassword(password: string): boolean {
  if (/[\p{Cc}\p{Cs}]/u.test(password)) return false;
  return (
    Array.from(password).length >= PASSWORD_CHARS_MIN &&
    Buffer.byteLength(password) <= PASSWORD_BYTES_MAX
  );
}
