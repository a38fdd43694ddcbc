import { expect, test } from "bun:test";
import { keepMembers, mapItems, withMembers } from "../../src/providers/edit_value.ts";

test("keepMembers() leaves the others out and returns the same object if there are none", () => {
  const object = { a: 1, b: 2 };
  expect(keepMembers(object, new Set(["a", "b", "c"]))).toBe(object);
  expect(keepMembers(object, new Set(["b"]))).toEqual({ b: 2 });
  expect(object).toEqual({ a: 1, b: 2 });
});

test("withMembers() sets and leaves out, and returns the same object if nothing changes", () => {
  const object = { a: 1, b: 2 };
  expect(withMembers(object, { a: 1, c: undefined })).toBe(object);
  const edited = withMembers(object, { a: undefined, c: 3 });
  expect(edited).toEqual({ b: 2, c: 3 });
  expect(Object.keys(edited)).toEqual(["b", "c"]);
  expect(object).toEqual({ a: 1, b: 2 });
});

test("mapItems() returns the same array if no item changes", () => {
  const items = ["a", 1];
  expect(mapItems(items, (item) => item)).toBe(items);
  expect(mapItems(items, (item, index) => (index === 1 ? 2 : item))).toEqual(["a", 2]);
  expect(items).toEqual(["a", 1]);
});
