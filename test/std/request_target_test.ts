import { expect, test } from "bun:test";
import { requestTarget } from "../../src/std/request_target.ts";

const CASES: [url: string, path: string, query: string][] = [
  ["http://host/a/b?x=1", "/a/b", "x=1"],
  ["https://host:8080/a%2Fb", "/a%2Fb", ""],
  ["http://host", "", ""],
  ["http://host?x=/y", "", "x=/y"],
  ["http://host/a#b?c", "/a", ""],
  ["http://host/a?b?c", "/a", "b?c"],
  ["/a/../b", "/a/../b", ""],
  ["http://[::1]:80/a", "/a", ""],
  ["http://user@evil:99999/a", "/a", ""],
  ["http:///a", "/a", ""],
  ["//a//b", "//a//b", ""],
  ["/a?u=http://host/b", "/a", "u=http://host/b"],
  ["*", "*", ""],
  ["", "", ""],
  ["http://host/%", "/%", ""],
];

test.each(CASES)("of %s the path is %s and the query %s", (url, path, query) => {
  expect(requestTarget(url)).toEqual({ path, query });
});
