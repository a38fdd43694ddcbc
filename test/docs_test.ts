import { expect, test } from "bun:test";
import { join } from "node:path";
import { makePage } from "../src/tools/openapi/page.ts";
import { DOCUMENT } from "./support/described.ts";

const SRC = join(import.meta.dir, "../src");
const PAGE = await Bun.file(join(SRC, "docs.html")).text();
const STYLE = await Bun.file(join(SRC, "docs.css")).text();

const all = (pattern: RegExp, text = PAGE) =>
  [...text.matchAll(pattern)].map(([, one = ""]) => one);

test("what is committed is made from the document", () => {
  if (PAGE !== makePage(DOCUMENT)) {
    throw new Error('src/docs.html is not what the code says: run "make openapi"');
  }
});

test("every route is on the page, with its method, path and a command line", () => {
  const sections = PAGE.split('<section class="route"').slice(1);
  const operations = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
  );
  expect(sections).toHaveLength(operations.length);
  for (const { path, method, operationId } of operations) {
    const section = sections.find((one) => one.startsWith(` id="${operationId}"`)) ?? "";
    expect(section).toContain(`<code>${path}</code>`);
    expect(section).toContain(`>${method.toUpperCase()}</span>`);
    expect(section).toContain("<code>curl ");
  }
});

test("command lines leave no variable of a path open", () => {
  const lines = all(/<code>(curl [^]*?)<\/code>/g);
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) expect(line.split("\n")[0]).not.toMatch(/\{\w+\}/);
});

test("every error code is on the page", () => {
  const codes = DOCUMENT["x-planes"].flatMap(({ errors }) => errors.map(({ code }) => code));
  expect(codes.length).toBeGreaterThan(40);
  const shown = PAGE.slice(PAGE.indexOf('id="errors"'));
  for (const code of codes) expect(shown).toContain(`<code>${code}</code>`);
});

test("nothing on the page runs, and nothing comes from elsewhere", () => {
  expect(PAGE).not.toMatch(/<(script|iframe|object|embed|form|img|base)\b|\son\w+=|javascript:/i);
  expect(PAGE).not.toMatch(/\sstyle=|<style/i);
  const links = all(/\s(?:href|src|action)="([^"]*)"/g).filter((one) => !one.startsWith("#"));
  expect([...new Set(links)].sort()).toEqual(["docs/style.css", "openapi.json"]);
  expect(STYLE).not.toMatch(/url\(|@import|expression\(/);
});

test("every link within the page leads to one place", () => {
  const ids = all(/\sid="([^"]*)"/g);
  expect(new Set(ids).size).toBe(ids.length);
  const anchors = all(/href="#([^"]*)"/g);
  expect(anchors.length).toBeGreaterThan(50);
  expect(anchors.filter((anchor) => !ids.includes(anchor))).toEqual([]);
});

test("every element that is opened is closed", () => {
  const open: string[] = [];
  for (const [tag = "", end, name = "", self] of PAGE.matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g)) {
    if (self === "/") continue;
    if (end === "") open.push(name);
    else expect([open.pop(), tag]).toEqual([name, tag]);
  }
  expect(open).toEqual([]);
});

test("the style knows every class that the page uses, and both schemes", () => {
  const used = new Set(all(/\sclass="([^"]*)"/g).flatMap((one) => one.split(" ")));
  // Nothing to say about these: they are told apart by what stands in them.
  for (const plain of ["text", "json"]) used.delete(plain);
  expect([...used].filter((name) => !STYLE.includes(`.${name}`))).toEqual([]);
  expect(STYLE).toContain("color-scheme: light dark");
});
