import { expect, test } from "bun:test";
import { fileLimit, fileLimitOf } from "../../src/std/file_limit.ts";

const HEAD = "Limit                     Soft Limit           Hard Limit           Units     \n";

test("the limits are found among the others", () => {
  const lines = [
    "Max processes             63432                63432                processes ",
    "Max open files            1024                 1048576              files     ",
    "Max locked memory         8388608              8388608              bytes     ",
  ];
  expect(fileLimitOf(HEAD + lines.join("\n"))).toEqual({ soft: 1024, hard: 1_048_576 });
});

test("no limit is an infinite one, and a list without it tells nothing", () => {
  const unlimited =
    "Max open files            unlimited            unlimited            files     \n";
  const none = { soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY };
  expect(fileLimitOf(HEAD + unlimited)).toEqual(none);
  expect(fileLimitOf(HEAD)).toBeNull();
});

test("this process has limits", () => {
  const limit = fileLimit();
  expect(limit?.soft).toBeGreaterThan(10);
  expect(limit?.hard).toBeGreaterThanOrEqual(limit?.soft ?? Number.NaN);
});
