import * as v from "valibot";
import { NAME_CHARS_MAX, parseName } from "../domain/names.ts";

/** A member that must be a whole number from `min` to `max`: no text, no fraction, nothing rounded. */
export function wholeNumber(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => Number.isSafeInteger(value) && value >= min && value <= max, expected),
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

/** A member that names something for people. */
export function name() {
  const expected = `expected 1 to ${NAME_CHARS_MAX} printable characters`;
  return v.pipe(
    v.string(expected),
    v.check((value) => parseName(value) !== null, expected),
    v.transform((value) => value.trim()),
  );
}
