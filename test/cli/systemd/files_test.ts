import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { putFolder, putProgram, putText, removeFile } from "../../../src/cli/systemd/files.ts";
import { openDirectory } from "../program.ts";

let folder: ReturnType<typeof openDirectory>;
let mask: number;
beforeEach(() => {
  folder = openDirectory();
  // The command line's own, which would keep everybody out of the program.
  mask = process.umask(0o077);
});
afterEach(() => {
  process.umask(mask);
  folder[Symbol.dispose]();
});

const at = (...names: string[]) => join(folder.path, ...names);
const modeOf = (path: string) => statSync(path).mode & 0o7777;

test("a file is made with its folders and mode, whatever the process's mask", () => {
  expect(putText(at("etc", "default", "service"), "text", 0o640)).toBe("created");
  expect(modeOf(at("etc", "default", "service"))).toBe(0o640);
  expect([modeOf(at("etc")), modeOf(at("etc", "default"))]).toEqual([0o755, 0o755]);
});

test("a file is replaced when its text differs, and left when it does not", () => {
  putText(at("unit"), "one", 0o644);
  expect(putText(at("unit"), "one", 0o644)).toBe("unchanged");
  expect(putText(at("unit"), "two", 0o644)).toBe("replaced");
  expect(readFileSync(at("unit"), "utf8")).toBe("two");
  expect(readdirSync(folder.path)).toEqual(["unit"]);
});

test("a mode that was changed is set again", () => {
  putText(at("unit"), "one", 0o644);
  chmodSync(at("unit"), 0o666);
  expect(putText(at("unit"), "one", 0o644)).toBe("mode set");
  expect(modeOf(at("unit"))).toBe(0o644);
  putFolder(at("secrets"), 0o755);
  expect(putFolder(at("secrets"), 0o750)).toBe("mode set");
  expect([putFolder(at("secrets"), 0o750), modeOf(at("secrets"))]).toEqual(["unchanged", 0o750]);
});

test("a program is replaced beside the one that runs, not inside it", async () => {
  writeFileSync(at("new"), "program 1");
  expect(await putProgram(at("bin", "service"), at("new"))).toBe("created");
  expect(modeOf(at("bin", "service"))).toBe(0o755);
  expect(await putProgram(at("bin", "service"), at("new"))).toBe("unchanged");
  const before = statSync(at("bin", "service")).ino;
  writeFileSync(at("new"), "program 2");
  expect(await putProgram(at("bin", "service"), at("new"))).toBe("replaced");
  expect(readFileSync(at("bin", "service"), "utf8")).toBe("program 2");
  expect(statSync(at("bin", "service")).ino).not.toBe(before);
});

test("a program that is its own source stays", async () => {
  writeFileSync(at("service"), "program", { mode: 0o755 });
  chmodSync(at("service"), 0o755);
  expect(await putProgram(at("service"), at("service"))).toBe("unchanged");
  expect(readFileSync(at("service"), "utf8")).toBe("program");
});

test("a failed replacement leaves what was there, and nothing beside it", async () => {
  writeFileSync(at("service"), "program");
  const missing = putProgram(at("service"), at("no such program"));
  expect(await missing.catch((error: Error) => error.message)).toContain("ENOENT");
  expect(() => putText(at("service", "below"), "text", 0o644)).toThrow();
  expect(readdirSync(folder.path)).toEqual(["service"]);
  expect(readFileSync(at("service"), "utf8")).toBe("program");
});

test("removing says whether there was anything", () => {
  writeFileSync(at("unit"), "");
  expect([removeFile(at("unit")), removeFile(at("unit"))]).toEqual([true, false]);
});
