import { describe, expect, test } from "bun:test";
import { findRoute, type Route } from "../../src/std/router.ts";

const ROUTES: readonly Route[] = [
  { method: "GET", pattern: "/books" },
  { method: "POST", pattern: "/books" },
  { method: "GET", pattern: "/books/new" },
  { method: "GET", pattern: "/books/{bookId}" },
  { method: "DELETE", pattern: "/books/{bookId}" },
  { method: "GET", pattern: "/books/{bookId}/pages/{page}" },
];

describe("findRoute()", () => {
  const MATCHES: [method: string, path: string, pattern: string, params: object][] = [
    ["GET", "/books", "/books", {}],
    ["POST", "/books", "/books", {}],
    ["GET", "/books/new", "/books/new", {}],
    ["GET", "/books/7", "/books/{bookId}", { bookId: "7" }],
    ["DELETE", "/books/new", "/books/{bookId}", { bookId: "new" }],
    ["GET", "/books/7/pages/9", "/books/{bookId}/pages/{page}", { bookId: "7", page: "9" }],
    ["GET", "/books/a%2Fb", "/books/{bookId}", { bookId: "a%2Fb" }],
    ["GET", "/books/..", "/books/{bookId}", { bookId: ".." }],
    ["GET", "/books/__proto__", "/books/{bookId}", { bookId: "__proto__" }],
  ];
  test.each(MATCHES)("%s %s is %s", (method, path, pattern, params) => {
    const found = findRoute(ROUTES, method, path);
    expect(found).toEqual({ kind: "match", route: { method, pattern }, params: { ...params } });
  });

  const NONE = [
    "",
    "/",
    "/book",
    "/books/",
    "/Books",
    "books",
    "/books//",
    "/books/7/pages",
    "/books/7/pages/",
    "//books",
  ];
  test.each(NONE)("nothing is at %p", (path) => {
    expect(findRoute(ROUTES, "GET", path)).toEqual({ kind: "none" });
  });

  test("another method is told which ones there are", () => {
    expect(findRoute(ROUTES, "PUT", "/books")).toEqual({
      kind: "method_not_allowed",
      allowed: ["GET", "POST"],
    });
    expect(findRoute(ROUTES, "PUT", "/books/new")).toEqual({
      kind: "method_not_allowed",
      allowed: ["GET", "DELETE"],
    });
    expect(findRoute(ROUTES, "get", "/books").kind).toBe("method_not_allowed");
  });
});
