import { expect, test } from "bun:test";
import { isJsonObject, parseJsonObject } from "../../src/std/json.ts";

test("only objects are JSON objects", () => {
  expect([{}, { a: 1 }, Object.create(null)].map(isJsonObject)).toEqual([true, true, true]);
  const others = [null, undefined, [], [{}], "{}", 1, true, () => {}];
  expect(others.filter(isJsonObject)).toEqual([]);
});

test("the text of an object is parsed", () => {
  expect(parseJsonObject(' {"a": [1, {"b": null}]} \n')).toEqual({ a: [1, { b: null }] });
});

test("a member named __proto__ is a member, and changes nothing else", () => {
  const object = parseJsonObject('{"__proto__": {"polluted": true}}');
  expect(Object.keys(object ?? {})).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  expect(object?.["polluted"]).toBeUndefined();
});

const NONE = [
  "",
  " ",
  "null",
  "1",
  '"a"',
  "[]",
  "[{}]",
  "{",
  "{}{}",
  "{'a':1}",
  "{a:1}",
  "\u00a0{}",
];

test.each(NONE)("%p is no object", (text) => {
  expect(parseJsonObject(text)).toBeNull();
});
