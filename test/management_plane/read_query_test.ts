import { expect, test } from "bun:test";
import * as v from "valibot";
import { moment, oneOf } from "../../src/management_plane/fields.ts";
import { readQuery } from "../../src/management_plane/read_query.ts";

const Schema = v.object({
  from: v.optional(moment()),
  order: v.optional(oneOf("up", "down"), "up"),
});

function read(query: string): unknown {
  try {
    return readQuery(new URLSearchParams(query), Schema);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return [code, message];
  }
}

test("a query is read by its schema, and what it does not name is not looked at", () => {
  expect(read("from=1970-01-01T00:00:01Z&order=down&page=2&toString=1")).toEqual({
    from: 1000,
    order: "down",
  });
});

test("parameters that are left out have their defaults", () => {
  expect(read("")).toEqual({ order: "up" });
});

test("of a parameter given twice the first counts", () => {
  expect(read("order=down&order=sideways")).toEqual({ order: "down" });
});

test.each([
  ["order=", 'Cannot use parameter "order": expected one of "up", "down"'],
  [
    "from=now",
    'Cannot use parameter "from": expected an RFC 3339 time such as 2026-06-01T00:00:00Z',
  ],
])("%s is refused, and what was given is not repeated", (query, message) => {
  expect(read(query)).toEqual(["invalid_request", message]);
});

const Strict = v.strictObject({ order: v.optional(oneOf("up", "down"), "up") });

test("a strict query takes what it names, once", () => {
  expect(readQuery(new URLSearchParams("order=down"), Strict)).toEqual({ order: "down" });
  expect(readQuery(new URLSearchParams(""), Strict)).toEqual({ order: "up" });
});

test.each([
  ["order=up&page=2", 'Cannot use parameter "page": there is no such parameter'],
  ["toString=1", 'Cannot use parameter "toString": there is no such parameter'],
  ["__proto__=1", 'Cannot use parameter "__proto__": there is no such parameter'],
  ["Order=up", 'Cannot use parameter "Order": there is no such parameter'],
  ["order=up&order=up", 'Cannot use parameter "order": it is given twice'],
])("a strict query refuses ?%s", (query, message) => {
  expect(() => readQuery(new URLSearchParams(query), Strict)).toThrow(message);
});
