import * as v from "valibot";
import { PROVIDER_IDS } from "../../domain/provider.ts";

/** A UUID. */
export function id(about: string) {
  return v.pipe(v.string(), v.uuid(), v.description(about));
}

/** A moment, in UTC: `2026-06-01T00:00:00Z`. */
export function time(about: string) {
  return v.pipe(v.string(), v.isoTimestamp(), v.description(about));
}

/** A whole number from 0. */
export function count(about: string) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.description(about));
}

/** Any text. */
export function label(about: string) {
  return v.pipe(v.string(), v.description(about));
}

/** True or false. */
export function yes(about: string) {
  return v.pipe(v.boolean(), v.description(about));
}

/** One of the words. */
export function word<const Word extends string>(words: readonly Word[], about: string) {
  return v.pipe(v.picklist(words), v.description(about));
}

/** The id of a provider. */
export function provider(about: string) {
  return word(PROVIDER_IDS, about);
}

/** The provider that examples are about. */
export const [EXAMPLE_PROVIDER] = PROVIDER_IDS;
