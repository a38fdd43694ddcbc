import { unsupportedParameter } from "../domain/errors.ts";
import type { Json, JsonObject } from "../std/json.ts";
import type { QuirkedRequest } from "../wire/openai_quirks.ts";

/**
 * Says what becomes of one top-level field of a request: sent under a name, left out because it asks for
 * nothing (`omit`), or left out and named to the client (`drop`).
 */
export type FieldRule = (
  value: Json,
  name: string,
) => { readonly name: string; readonly value: Json } | "omit" | "drop";

/**
 * Applies a rule to each field, `otherwise` to those without one. A field that is null counts as absent.
 *
 * @returns The body itself if nothing changed.
 * @throws {ProxyError} If a rule refuses a value.
 */
export function applyFieldRules(
  body: JsonObject,
  rules: Readonly<Record<string, FieldRule>>,
  otherwise: FieldRule,
): QuirkedRequest {
  const sent: [string, Json][] = [];
  const dropped: string[] = [];
  let changed = false;
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(rules, name) ? (rules[name] ?? otherwise) : otherwise;
    const outcome = value === null ? "omit" : rule(value, name);
    if (outcome === "drop") dropped.push(name);
    if (outcome === "omit" || outcome === "drop") {
      changed = true;
      continue;
    }
    if (outcome.name !== name || outcome.value !== value) changed = true;
    sent.push([outcome.name, outcome.value]);
  }
  return { body: changed ? Object.fromEntries(sent) : body, dropped };
}

/** Sends a field as it is. */
export const pass: FieldRule = (value, name) => ({ name, value });

/** Leaves a field out and names it: the answer means the same without it. */
export const drop: FieldRule = () => "drop";

/** Leaves a field out in silence: the proxy has dealt with it. */
export const omit: FieldRule = () => "omit";

/** Leaves a field out in silence while it asks for nothing, else applies the rule. */
export function unlessNeutral(isNeutral: (value: Json) => boolean, rule: FieldRule): FieldRule {
  return (value, name) => (isNeutral(value) ? "omit" : rule(value, name));
}

/** Refuses a field that a provider cannot honour: leaving it out would change what the answer means. */
export function refuse(provider: string): FieldRule {
  return (_, name) => {
    throw unsupportedParameter(name, `Cannot send ${name}: ${provider} does not support it`);
  };
}

/** Sends what a table says for the value, leaves it as it is if the table is silent. */
export function translated(values: Readonly<Record<string, string>>): FieldRule {
  return (value, name) => ({
    name,
    value:
      typeof value === "string" && Object.hasOwn(values, value) ? (values[value] ?? value) : value,
  });
}

export const isFalse = (value: Json): boolean => value === false;
export const isZero = (value: Json): boolean => value === 0;
export const isOne = (value: Json): boolean => value === 1;

/** Whether a list or an object has no members. */
export function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
