import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { TOPICS } from "../../src/cli/topics.ts";
import { SETTING_ROWS } from "../../src/config.ts";
import { accessLine } from "../../src/data_plane/access_line.ts";
import { Observation } from "../../src/data_plane/observation.ts";
import { ERRORS } from "../../src/domain/errors.ts";
import { MANAGEMENT_ERRORS } from "../../src/management_plane/error_response.ts";
import { proxyForTests } from "../support/data_plane.ts";
import { callsOfEveryKind, scrapeText } from "../support/scrape.ts";
import { codeOf, PAGES, pageNamed } from "./pages.ts";

const operating = pageNamed("operating.md").text;

/** Variables of other programs that begin like ours, named as a warning. */
const FOREIGN_VARIABLES = ["INFERENCE_PROXY_API_KEY"];

/** Flags of other programs in the pages' commands. */
const FOREIGN_FLAGS = ["--now"];

describe("commands", () => {
  /** A command as it may be written: up to a pipe, a redirection, a remark or the end of a substitution. */
  const lines = PAGES.flatMap((page) =>
    codeOf(page)
      .flatMap((code) => code.split("\n"))
      .flatMap((line) => [...line.matchAll(/(?:^|[|(/ ])inference-proxy( [^|>)#&;]*)?/g)])
      .map(([, rest = ""]) => ({ page: page.name, words: rest.trim().split(/\s+/) })),
  );
  const typed = lines.filter(({ words: [first = ""] }) => /^[a-z]/.test(first));

  test("those that the pages name exist, with every flag", () => {
    expect(typed.length).toBeGreaterThan(40);
    const wrong = typed.filter(({ words }) => !exists(words));
    expect(wrong.map(({ page, words }) => `${page}: ${words.join(" ")}`)).toEqual([]);
  });

  test("every flag that the pages name exists", () => {
    const known = new Set([
      ...SETTING_ROWS.map(({ flag }) => flag),
      ...COMMANDS.flatMap(({ flags }) => flags.map(({ name }) => name)),
      ...FOREIGN_FLAGS,
    ]);
    const named = PAGES.flatMap((page) =>
      codeOf(page).flatMap((code) => code.match(/(?<=^|[\s"])--[a-z][a-z-]+/gm) ?? []),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((flag) => !known.has(flag as `--${string}`))).toEqual([]);
  });

  /** Whether words begin with a command, or a group of them, and go on with nothing but its flags. */
  function exists(words: readonly string[]): boolean {
    if (words[0] === "help")
      return TOPICS.some(({ name }) => name === words[1]) || words.length === 1;
    const command = COMMANDS.find(({ name }) =>
      name.split(" ").every((word, index) => words[index] === word),
    );
    if (command === undefined) return false;
    const flags = words.filter((word) => word.startsWith("--"));
    return flags.every((flag) => command.flags.some(({ name }) => name === flag.split("=")[0]));
  }
});

test("every variable that the pages name exists", () => {
  const known = [
    ...SETTING_ROWS.map(({ environment }) => environment),
    "INFERENCE_PROXY_ADMIN_PASSWORD",
    ...FOREIGN_VARIABLES,
  ];
  const named = PAGES.flatMap(({ text }) => text.match(/INFERENCE_PROXY_[A-Z_]+/g) ?? []);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

const proxy = await proxyForTests({ providers: ["openai", "anthropic"] });
await callsOfEveryKind(proxy);
const scraped = await scrapeText(proxy);
const families = [...scraped.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
const labels = new Set([...scraped.matchAll(/[{,](\w+)="/g)].map(([, name = ""]) => name));

test("every metric is on the page about operating", () => {
  expect(families.length).toBeGreaterThan(25);
  expect(families.filter((name) => !operating.includes(`\`${name}\``))).toEqual([]);
});

test("every metric and label that the pages name exists", () => {
  const named = PAGES.flatMap(
    ({ text }) => text.match(/\b(?:inference_proxy|gen_ai|process)_[a-z_]+\b/g) ?? [],
  );
  expect(named.filter((name) => !families.includes(name) && !labels.has(name))).toEqual([]);
});

test("where a table lists labels, they are the metric's", () => {
  const rows = [...operating.matchAll(/^\| `(inference_proxy_\w+)` +\| ([^|]*?) +\| [^|]+\|$/gm)];
  expect(rows.length).toBe(11);
  for (const [, name = "", listed = ""] of rows) {
    const sample = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, "m").exec(scraped);
    const own = [...(sample?.[1] ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label);
    expect([name, listed]).toEqual([name, own.join(", ")]);
  }
});

test("every field of the log's line for a call is on the page, in its order", () => {
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  const observer = { clock, callAdmitted: () => {}, callEnded: () => {} };
  const nothing = { clientRequestId: null, trace: null };
  const fields = Object.keys(accessLine(new Observation("chat", nothing, observer)));
  const [, table = ""] = /\| field .*\n\| -.*\n([^]*?)\n\n/.exec(operating) ?? [];
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).toEqual(fields);
});

test("every status and code that the pages name belong together", () => {
  const passed = [...pageNamed("errors.md").text.matchAll(/^\| (\d{3}) +\| `(\w+)`/gm)];
  const known = new Set([
    ...Object.entries(ERRORS).map(([code, [status]]) => `${status} ${code}`),
    ...Object.entries(MANAGEMENT_ERRORS).map(([code, status]) => `${status} ${code}`),
    ...passed.map(([, status, code]) => `${status} ${code}`),
  ]);
  const named = PAGES.flatMap(({ text }) =>
    [...text.matchAll(/\b([45]\d\d) `(\w+)`/g)].map(([, status, code]) => `${status} ${code}`),
  );
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((one) => !known.has(one))).toEqual([]);
});
