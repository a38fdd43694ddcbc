import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { findTopic, topicLines, TOPICS, topicText } from "../../src/cli/topics.ts";
import { PROGRAM_TIMEOUT_MS, runProgram } from "./program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

const SRC = join(import.meta.dir, "../../src");

/** Read where releases are made, which is not where the program runs. */
const MAINTAINERS_PAGE = "releasing.md";

test("every page is a topic, but for the maintainers' own", () => {
  const printed = TOPICS.filter(({ isPage }) => isPage).map(({ path }) => basename(path));
  const pages = readdirSync(join(SRC, "docs")).filter((file) => file !== MAINTAINERS_PAGE);
  expect(printed.toSorted()).toEqual(pages.sort());
});

test("no topic has the name of a command, which would hide it", () => {
  const words = COMMANDS.map(({ name }) => name.split(" ")[0]);
  expect(TOPICS.filter(({ name }) => words.includes(name))).toEqual([]);
});

test.each(["reverse_proxy", "reverse-proxy", "reverse_proxy.md"])("%s finds the topic", (name) => {
  expect(findTopic(name)?.name).toBe("reverse_proxy");
});

test.each(["", "reverse", "serve", "constructor"])('"%s" finds none', (name) => {
  expect(findTopic(name)).toBeUndefined();
});

test.each(TOPICS.filter(({ isPage }) => isPage))("$name is text without remarks", async (topic) => {
  const text = await topicText(topic);
  expect(text).toMatch(/^# /);
  expect(text).not.toContain("<!--");
  expect(text).not.toContain("\n\n\n");
});

test.each([
  ["dashboard", "ops/grafana_dashboard.json"],
  ["alerts", "ops/alert_rules.yml"],
])("%s is printed to the byte", async (name, path) => {
  const { exitCode, stdout } = await runProgram(["help", name]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(await Bun.file(join(SRC, path)).text());
});

test("help prints a topic, lists them after the commands, and prefers a command", async () => {
  expect((await runProgram(["help", "limits"])).stdout).toStartWith("# Limits and money\n");
  expect((await runProgram(["help"])).stdout).toEndWith(`\n\n${topicLines()}\n`);
  expect((await runProgram(["help", "backup"])).stdout).toStartWith("Back up the database");
});
