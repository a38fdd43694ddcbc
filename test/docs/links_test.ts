import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FOLDER, PAGES, ROOT } from "./pages.ts";

/** Every page but the one on security, whose tables name tests and are wide. */
const NARROW = PAGES.filter(({ name }) => name !== "security.md");

for (const { name, text } of PAGES) {
  test(`${name}: every link leads to a page`, () => {
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    expect(links.filter((link) => !existsSync(join(FOLDER, link)))).toEqual([]);
  });

  test(`${name} begins with its title, ends with a line, and is plain ASCII`, () => {
    expect(text).toMatch(/^# [A-Z]/);
    expect(text).toMatch(/[^\n]\n$/);
    expect(text.match(/[^\n\t\x20-\x7e]/)).toBeNull();
  });

  test(`${name} speaks of no place on a machine of ours`, () => {
    expect(text.match(/(^|[\s"'`(])\/(work|home|root|Users|tmp)\//m)).toBeNull();
  });
}

test("no line is wider than a hundred characters", () => {
  const wide = NARROW.flatMap(({ name, text }) =>
    text
      .split("\n")
      .filter((line) => line.length > 100)
      .map((line) => `${name}: ${line}`),
  );
  expect(wide).toEqual([]);
});

test("every page is reached from the README", async () => {
  const readme = await Bun.file(join(ROOT, "README.md")).text();
  const missing = PAGES.filter(({ name }) => !readme.includes(`](src/docs/${name})`));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
