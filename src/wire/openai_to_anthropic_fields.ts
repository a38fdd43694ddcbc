import { invalidValue, type ProxyError, unsupportedParameter } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";

/** A JSON value that is there: null means absent wherever a field is optional. */
export type Given = Exclude<Json, null>;

/** Reads an optional member; null reads as absent. */
export function given(object: JsonObject, name: string): Given | undefined {
  return object[name] ?? undefined;
}

/** Refuses a value of the wrong shape. The value itself is never quoted: it may be part of a prompt. */
export function expected(param: string, what: string): ProxyError {
  return invalidValue(param, `Cannot translate "${param}": expected ${what}`);
}

/** Reads an optional text. @throws {ProxyError} If it is something else. */
export function givenText(object: JsonObject, name: string, param: string): string | undefined {
  const value = given(object, name);
  if (value === undefined || typeof value === "string") return value;
  throw expected(param, "a string");
}

/** Reads an optional list. @throws {ProxyError} If it is something else. */
export function givenList(object: JsonObject, name: string, param: string): Json[] | undefined {
  const value = given(object, name);
  if (value === undefined || Array.isArray(value)) return value;
  throw expected(param, "an array");
}

/** Reads an optional number between two bounds. @throws {ProxyError} If it is something else. */
export function givenNumber(
  object: JsonObject,
  name: string,
  [min, max]: readonly [min: number, max: number],
): number | undefined {
  const value = given(object, name);
  if (value === undefined) return undefined;
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw expected(name, `a number from ${min} to ${max}`);
}

/** Reads an object that must be there. @throws {ProxyError} If it is something else. */
export function objectAt(value: Json | undefined, param: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw expected(param, "an object");
}

/** Fields that other files of this folder translate. */
const TRANSLATED = new Set([
  "model",
  "messages",
  "max_completion_tokens",
  "max_tokens",
  "temperature",
  "top_p",
  "stream",
  "stream_options",
  "stop",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "functions",
  "function_call",
  "response_format",
  "reasoning_effort",
  "thinking",
  "user",
  "safety_identifier",
  "service_tier",
]);

/** Says of one value without a counterpart whether leaving it out is worth telling. */
type Rule = (value: Given, param: string) => "neutral" | "drop";

/** Fields whose values are not all simply left out. */
const RULES = new Map<string, Rule>([
  ["n", oneAnswer],
  ["logit_bias", (value, param) => (isEmptyObject(value) ? "neutral" : refuse(param))],
  ["logprobs", (value, param) => (value === false ? "neutral" : refuse(param))],
  ["top_logprobs", (value, param) => (value === 0 ? "neutral" : refuse(param))],
  ["modalities", (value, param) => (isTextOnly(value) ? "neutral" : refuse(param))],
  ["audio", (_value, param) => refuse(param)],
  // It would send the conversation to a third party.
  ["web_search_options", (_value, param) => refuse(param)],
  ["moderation", (_value, param) => refuse(param)],
  ["frequency_penalty", penalty],
  ["presence_penalty", penalty],
  ["store", (value) => (value === false ? "neutral" : "drop")],
  ["prompt_cache_options", explicitCache],
]);

/** Names go into a response header, so only those that fit there are told, and not without end. */
const NAMEABLE = /^[\w.$-]{1,64}$/;
const MAX_NAMED_FIELDS = 64;

/**
 * Goes through the fields of a request that have no counterpart: refuses those that change what the
 * client gets, and returns the names of those left out. Neutral values are left out silently.
 *
 * @throws {ProxyError} Naming the first field that cannot be left out.
 */
export function leaveOutFields(body: JsonObject): string[] {
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined || TRANSLATED.has(name)) continue;
    const fate = RULES.get(name)?.(value, name) ?? "drop";
    if (fate === "drop" && NAMEABLE.test(name)) dropped.push(name);
  }
  return dropped.slice(0, MAX_NAMED_FIELDS);
}

function refuse(param: string): never {
  throw unsupportedParameter(param, `Cannot translate "${param}": this model has nothing like it`);
}

function oneAnswer(value: Given, param: string): "neutral" {
  if (value === 1) return "neutral";
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
    throw expected(param, "a whole number from 1");
  }
  throw unsupportedParameter(
    param,
    `Cannot translate "${param}": this model answers once per call`,
  );
}

function penalty(value: Given, param: string): "neutral" | "drop" {
  if (typeof value !== "number") throw expected(param, "a number");
  return value === 0 ? "neutral" : "drop";
}

/** Explicit breakpoints are translated where they stand in messages. */
function explicitCache(value: Given): "neutral" | "drop" {
  const explicit = isJsonObject(value) && value["mode"] === "explicit";
  return explicit && Object.keys(value).length === 1 ? "neutral" : "drop";
}

function isEmptyObject(value: Given): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function isTextOnly(value: Given): boolean {
  return Array.isArray(value) && value.every((modality) => modality === "text");
}
