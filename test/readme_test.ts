import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../src/cli/commands.ts";

const ROOT = join(import.meta.dir, "..");
const README = await Bun.file(join(ROOT, "README.md")).text();
const MAKEFILE = await Bun.file(join(ROOT, "Makefile")).text();

test("every file that README names exists", () => {
  const links = [...README.matchAll(/\]\((src\/[^)#]+)\)/g)].map((match) => match[1] ?? "");
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
});

test("every folder that README names exists", () => {
  const folders = [...README.matchAll(/`((?:src|migrations|test)\/[\w/]*)`/g)].map(
    ([, folder = ""]) => folder,
  );
  expect(folders.length).toBeGreaterThan(10);
  expect(folders.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
});

test("every command that README shows exists, with its flags", () => {
  const lines = [...README.matchAll(/^inference-proxy ([^#\n]*)/gm)].map(([, line = ""]) => line);
  expect(lines).toHaveLength(5);
  for (const line of lines) {
    const command = COMMANDS.find(({ name }) => line.startsWith(`${name} `) || line === name);
    const flags: readonly { readonly name: string }[] = command?.flags ?? [];
    const known = (line.match(/--[a-z-]+/g) ?? []).every((flag) =>
      flags.some(({ name }) => name === flag),
    );
    expect({ line, exists: command !== undefined, known }).toEqual({
      line,
      exists: true,
      known: true,
    });
  }
});

test("every target of make that README names exists", () => {
  const targets = [...README.matchAll(/\bmake ([a-z]+)\b/g)].map(([, target = ""]) => target);
  expect(targets.length).toBeGreaterThan(5);
  expect(targets.filter((target) => !MAKEFILE.includes(`\n${target}: `))).toEqual([]);
});
