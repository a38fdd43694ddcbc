import { expect, test } from "bun:test";
import type { Json } from "../../src/std/json.ts";
import {
  expected,
  given,
  givenList,
  givenNumber,
  givenText,
  leaveOutFields,
  objectAt,
} from "../../src/wire/openai_to_anthropic_fields.ts";

test("null is absent", () => {
  const body = { a: null, b: 0 };
  expect(given(body, "a")).toBeUndefined();
  expect(given(body, "b")).toBe(0);
  expect(givenText(body, "a", "a")).toBeUndefined();
  expect(givenList(body, "a", "a")).toBeUndefined();
  expect(givenNumber(body, "a", [0, 1])).toBeUndefined();
});

test("a value of another kind is refused by its path", () => {
  const refused = expect.objectContaining({ param: "x.y", code: "invalid_value" });
  expect(() => givenText({ y: 7 }, "y", "x.y")).toThrow(refused);
  expect(() => givenList({ y: {} }, "y", "x.y")).toThrow(refused);
  expect(() => objectAt([], "x.y")).toThrow(refused);
  expect(() => objectAt(undefined, "x.y")).toThrow(refused);
  expect(() => givenNumber({ y: "1" }, "y", [0, 2])).toThrow();
  expect(expected("x.y", "a string").message).toBe('Cannot translate "x.y": expected a string');
});

test("numbers have bounds, and both belong to them", () => {
  for (const value of [0, 1, 2]) expect(givenNumber({ y: value }, "y", [0, 2])).toBe(value);
  for (const value of [-0.1, 2.1, Number.NaN]) {
    expect(() => givenNumber({ y: value }, "y", [0, 2])).toThrow();
  }
});

const UNSUPPORTED: readonly [string, Json][] = [
  ["n", 2],
  ["logit_bias", { "1": 1 }],
  ["logit_bias", []],
  ["logprobs", true],
  ["top_logprobs", 3],
  ["modalities", ["text", "audio"]],
  ["modalities", "audio"],
  ["audio", { voice: "alloy", format: "mp3" }],
  ["web_search_options", {}],
  ["moderation", { model: "m" }],
];

test.each(UNSUPPORTED)("%s %j is refused as a parameter", (name, value) => {
  const refused = expect.objectContaining({ param: name, code: "unsupported_parameter" });
  expect(() => leaveOutFields({ [name]: value })).toThrow(refused);
});

test.each<[string, Json]>([
  ["n", 0],
  ["n", 1.5],
  ["n", "1"],
  ["frequency_penalty", "0"],
  ["presence_penalty", true],
])("%s %j is refused as a value", (name, value) => {
  const refused = expect.objectContaining({ param: name, code: "invalid_value" });
  expect(() => leaveOutFields({ [name]: value })).toThrow(refused);
});

test.each<[string, Json]>([
  ["n", 1],
  ["logit_bias", {}],
  ["logprobs", false],
  ["top_logprobs", 0],
  ["modalities", ["text"]],
  ["frequency_penalty", 0],
  ["presence_penalty", 0],
  ["store", false],
  ["prompt_cache_options", { mode: "explicit" }],
  ["seed", null],
  ["anything", null],
  ["messages", []],
])("%s %j is left out silently", (name, value) => {
  expect(leaveOutFields({ [name]: value })).toEqual([]);
});

test.each<[string, Json]>([
  ["seed", 7],
  ["metadata", {}],
  ["store", true],
  ["verbosity", "medium"],
  ["prediction", {}],
  ["frequency_penalty", 0.1],
  ["prompt_cache_key", "k"],
  ["prompt_cache_retention", "24h"],
  ["prompt_cache_options", { mode: "explicit", ttl: "30m" }],
  ["top_k", 5],
  ["cache_control", { type: "ephemeral" }],
  ["constructor", 1],
])("%s %j is left out by name", (name, value) => {
  expect(leaveOutFields({ [name]: value })).toEqual([name]);
});

test("names that a header cannot carry are left out silently, and names have an end", () => {
  const odd = ["a,b", "a\r\nset-cookie: x", "\u00fc", "", "x".repeat(65)];
  expect(leaveOutFields(Object.fromEntries(odd.map((name) => [name, 1])))).toEqual([]);
  const many = Array.from({ length: 5000 }, (_, at) => [`field_${at}`, 1]);
  expect(leaveOutFields(Object.fromEntries(many)).join(", ").length).toBeLessThan(4096);
});
