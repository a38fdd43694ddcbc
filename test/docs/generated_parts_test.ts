import { expect, test } from "bun:test";
import { GENERATED_PARTS, withGeneratedParts } from "../../src/tools/docs/generated_parts.ts";
import { wrap } from "../../src/tools/docs/wrap.ts";
import { PAGES } from "./pages.ts";

for (const { name, text } of PAGES) {
  test(`${name}: what is made from the program is as the program says`, () => {
    if (text !== withGeneratedParts(text))
      throw new Error(
        `src/docs/${name} is not what the code says: run "bun src/tools/make_docs.ts"`,
      );
  });
}

test("every part that can be made stands in a page", () => {
  const all = PAGES.map(({ text }) => text).join("");
  const missing = Object.keys(GENERATED_PARTS).filter(
    (part) => !all.includes(`<!-- made: ${part} -->`),
  );
  expect(missing).toEqual([]);
});

test("a part that nothing makes is refused", () => {
  expect(() => withGeneratedParts("<!-- made: jokes -->\n<!-- end -->")).toThrow("there is none");
});

test("code between backticks stays on one line, and an item of a list is indented", () => {
  const code = `\`${"word ".repeat(12)}word\``;
  const lines = wrap(`${code} ${code}. And more.`, "- Fix: ").split("\n");
  expect(lines).toEqual([`- Fix: ${code}`, `  ${code}. And more.`]);
});
