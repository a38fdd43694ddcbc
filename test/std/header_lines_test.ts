import { expect, test } from "bun:test";
import { parseHeaderLines } from "../../src/std/header_lines.ts";

const revealed = (text: string) =>
  [...parseHeaderLines(text)].map(([name, value]) => [name, value.reveal()]);

test("each line is a header, by its name in lower case", () => {
  expect(revealed("Authorization: Basic YTpi\r\nx-scope-orgid:7\n")).toEqual([
    ["authorization", "Basic YTpi"],
    ["x-scope-orgid", "7"],
  ]);
});

test("blank lines and comments say nothing", () => {
  expect(revealed("\n# for the collector\n  \nA: b \t\n")).toEqual([["a", "b"]]);
  expect(revealed("")).toEqual([]);
});

test.each(["secret", "na me: secret", ": secret", "a:", "a: \u00e9secret", "a: se\u0007cret"])(
  "%p is refused by its number, and not shown",
  (line) => {
    const parse = () => parseHeaderLines(`ok: 1\n${line}`);
    expect(parse).toThrow(SyntaxError);
    expect(parse).toThrow("line 2");
    expect(parse).not.toThrow(/cret/);
  },
);

test("values cannot be printed", () => {
  expect(JSON.stringify([...parseHeaderLines("a: hidden")])).not.toContain("hidden");
});
