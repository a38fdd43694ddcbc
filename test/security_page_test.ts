import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const PAGE = readFileSync(join(ROOT, "src/docs/security.md"), "utf8");
const PROMISES = Array.from({ length: 20 }, (_, index) => index + 1);

test("every test that the security page names is there", () => {
  const named = [...new Set(PAGE.match(/test\/[\w/]+_test\.ts/g))];
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test.each(PROMISES)("promise P%d is on the page, with tests named after it", (promise) => {
  const row = new RegExp(`^\\| P${promise} +\\|.*\\| (test/promises/\\S+) +\\|$`, "m").exec(PAGE);
  const path = row?.[1] ?? "";
  expect(path).toContain(`/p${String(promise).padStart(2, "0")}_`);
  expect(readFileSync(join(ROOT, path), "utf8")).toContain(`P${promise}`);
});

test("every table of the page has the shape of its head", () => {
  let columns = 0;
  for (const line of PAGE.split("\n")) {
    const cells = line.startsWith("|") ? line.split("|").length : 0;
    if (cells > 0 && columns > 0) expect(cells).toBe(columns);
    columns = cells;
  }
});
