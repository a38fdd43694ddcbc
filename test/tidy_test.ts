import { describe, expect, test } from "bun:test";
import { MIGRATIONS } from "../migrations/registry.ts";
import { bans, domainWordsInStd } from "./tidy/bans.ts";
import { floors } from "./tidy/floors.ts";
import * as shape from "./tidy/shape.ts";
import { type Check, readSources } from "./tidy/source.ts";

/** Source files that no test of their own could say more about. */
const WITHOUT_TEST: Record<string, string> = {
  "src/cli/exit_codes.ts": "a table of numbers that others define",
  "src/cli/systemd/places.ts": "a table of paths, met by the tests of what is put there",
  "src/cli/audit.ts": "run by the sessions",
  "src/cli/command.ts": "run by the sessions",
  "src/cli/commands.ts": "run by the sessions",
  "src/cli/doctor.ts": "run by the sessions",
  "src/cli/help.ts": "run by the sessions",
  "src/cli/key.ts": "run by the sessions",
  "src/cli/member.ts": "run by the sessions",
  "src/cli/org.ts": "run by the sessions",
  "src/cli/organization_choice.ts": "run by the sessions",
  "src/cli/print.ts": "run by the sessions",
  "src/cli/provider.ts": "run by the sessions",
  "src/cli/setting_flags.ts": "run by the sessions",
  "src/cli/settings.ts": "run by the sessions",
  "src/cli/status.ts": "run by the sessions",
  "src/cli/usage.ts": "run by the sessions",
  "src/cli/user.ts": "run by the sessions",
  "src/cli/local.ts": "run by the sessions",
  "src/cli/version.ts": "run by the tests of the command line",
  "src/setting_table.ts": "read by the tests of the configuration",
  "src/main.ts": "run by every test of the binary",
  "src/version.ts": "run by the tests of the command line",
  "src/data_plane/": "tested as a call sees it, one story per file",
  "src/management_plane/call.ts": "names what every test of that plane hands over",
  "src/management_plane/status.ts": "asked by the scenarios of every route",
  "src/management_plane/openapi/": "held against every answer that the tests get",
  "src/stand_in/": "tested as its clients see it, one file per provider",
  "src/store/asked_at_start.ts": "what start_sql.ts writes, which has tests",
};

const CHECKS: Record<string, Check> = {
  "a file imports its own folder and lower floors only": floors,
  "what has its one place stands nowhere else": bans,
  "the lowest floor knows no word of the domain": domainWordsInStd,
  "source files are ASCII": shape.asciiOnly,
  "files are short": shape.fileLength,
  "functions are short": shape.functionLength,
  "files are named after an idea": shape.noDrawers,
  "file names are in snake_case": shape.snakeCaseName,
  "exported functions and classes say what they do": shape.docComments,
  "nothing speaks of places outside the repository": shape.foreignPlaces,
};

const sources = await readSources(["src", "migrations", "test"], "**/*.ts");

describe("the repository", () => {
  const program = sources.filter((source) => source.path.startsWith("src/"));

  for (const [name, check] of Object.entries(CHECKS)) {
    // What the rules themselves are made of would offend against them.
    const checked = sources.filter((source) => !/^test\/tidy(_test\.ts|\/)/.test(source.path));
    test(name, () => expect(checked.flatMap(check)).toEqual([]));
  }

  test("every source file has its test", () => {
    const tests = new Set(sources.map((source) => source.path));
    const tested = program.filter((source) => !source.path.startsWith("src/tools/"));
    expect(shape.missingTests(tested, tests, WITHOUT_TEST)).toEqual([]);
  });

  test("every source file is used", () => {
    expect(shape.deadFiles(program, /^src\/(main\.ts$|assets\.d\.ts$|tools\/)/)).toEqual([]);
  });

  test("the registry of migrations lists the folder", () => {
    const files = sources
      .map((source) => source.path)
      .filter((path) => path.startsWith("migrations/"));
    expect(shape.unregistered(files, Object.keys(MIGRATIONS))).toEqual([]);
  });

  test("no file names a package registry", async () => {
    const others = await readSources(["."], "*", ".ci/*", "docs/**/*");
    // A machine may put its own there; the repository has none.
    const texts = others.filter((source) => source.path !== ".npmrc");
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.flatMap(shape.registryAddresses)).toEqual([]);
  });

  test("the longest functions are shown", () => {
    const lengths = program.flatMap(shape.functionLengths).sort((a, b) => b.lines - a.lines);
    const longest = lengths.slice(0, 5).map((one) => `${one.lines} ${one.path}:${one.line}`);
    console.log(`longest functions, in lines:\n  ${longest.join("\n  ")}`);
    expect(lengths.length).toBeGreaterThan(0);
  });
});

const OFFENCES: { check: Check; path: string; text: string; says: string }[] = [
  {
    check: floors,
    path: "src/domain/hold.ts",
    text: 'import type { Db } from "../store/tables.ts";',
    says: "src/domain may not know src/store",
  },
  {
    check: floors,
    path: "src/data_plane/admit.ts",
    text: 'export {\n  keys,\n} from "../management_plane/keys.ts";',
    says: "src/data_plane may not know src/management_plane",
  },
  {
    check: floors,
    path: "src/providers/groq.ts",
    text: 'const db = await import("../store/sqlite.ts");',
    says: "src/providers may not know src/store",
  },
  {
    check: floors,
    path: "src/cli/serve.ts",
    text: 'import { MIGRATIONS } from "../../migrations/registry.ts";',
    says: "src/cli may not know migrations",
  },
  {
    check: floors,
    path: "src/data_plane/relay.ts",
    text: 'import "../stand_in/stand_in.ts";',
    says: "src/data_plane may not know src/stand_in",
  },
  {
    check: floors,
    path: "src/stand_in/openai.ts",
    text: 'import { meter } from "../wire/meter.ts";',
    says: "src/stand_in may not know src/wire",
  },
  {
    check: bans,
    path: "src/store/vault.ts",
    text: "const key = process.env.MASTER_KEY;",
    says: "Use a setting of src/config.ts",
  },
  {
    check: bans,
    path: "src/management_plane/provider_configs.ts",
    text: "const answer = await fetch(url);",
    says: "Use forward() of src/data_plane/forward.ts",
  },
  {
    check: bans,
    path: "src/app.ts",
    text: 'import { sql } from "kysely";',
    says: "Use a query in src/store",
  },
  {
    check: bans,
    path: "src/data_plane/admit.ts",
    text: "\n\nconst now = Date.now();",
    says: "admit.ts:3 holds the time",
  },
  { check: bans, path: "src/wire/meter.ts", text: "console.log(1);", says: "Use the Log" },
  { check: bans, path: "src/app.ts", text: "process.exit(1);", says: "which owns exit codes" },
  {
    check: bans,
    path: "src/data_plane/route.ts",
    text: 'if (provider.id === "anthropic") return;',
    says: "Use a field of the provider",
  },
  {
    check: bans,
    path: "src/wire/openai.ts",
    text: 'if (id === "mistral") return;',
    says: "Use a quirk of the provider",
  },
  {
    check: bans,
    path: "src/domain/price.ts",
    text: `// ${"TO" + "DO"}: round`,
    says: "holds a marker of unfinished work",
  },
  {
    check: bans,
    path: "test/domain/price_test.ts",
    text: 'test.only("it works", () => {});',
    says: "Use a test that runs",
  },
  {
    check: bans,
    path: "src/data_plane/relay.ts",
    text: "// sends it downstream",
    says: "Use client or upstream",
  },
  {
    check: domainWordsInStd,
    path: "src/std/router.ts",
    text: "/** Finds the provider. */",
    says: 'says "provider"',
  },
  {
    check: shape.asciiOnly,
    path: "src/domain/price.ts",
    text: 'const a = 1;\nconst sign = "\u{20ac}";',
    says: "price.ts:2 holds U+20ac",
  },
  {
    check: shape.fileLength,
    path: "src/domain/price.ts",
    text: "x;\n".repeat(shape.FILE_LINES_MAX + 1),
    says: "Split it by idea",
  },
  {
    check: shape.functionLength,
    path: "src/domain/price.ts",
    text: `function long(\n  a: number,\n): number {\n${"  x();\n".repeat(shape.FUNCTION_LINES_MAX)}}\n`,
    says: "price.ts:3 is a function of 82 lines",
  },
  {
    check: shape.functionLength,
    path: "src/domain/price.ts",
    text: `class A {\n  async #long(a: number): Promise<void> {\n${"    x();\n".repeat(99)}  }\n}\n`,
    says: "price.ts:2 is a function of 101 lines",
  },
  { check: shape.noDrawers, path: "src/wire/utils.ts", text: "", says: "named after no idea" },
  { check: shape.snakeCaseName, path: "src/wire/toolCalls.ts", text: "", says: "snake_case" },
  {
    check: shape.docComments,
    path: "src/wire/meter.ts",
    text: "const a = 1;\n\nexport function meter() {}\n",
    says: "meter.ts:3 exports without a doc comment",
  },
  {
    check: shape.registryAddresses,
    path: "package-lock.json",
    text: `"url": "https://${"registry"}.example.com/x.tgz"`,
    says: "names a package registry",
  },
  {
    check: shape.foreignPlaces,
    path: "src/wire/meter.ts",
    text: "// see /home/me/notes.md",
    says: "outside the repository",
  },
];

describe("tidy objects to", () => {
  for (const { check, path, text, says } of OFFENCES) {
    test(`${path}: ${text.trim().split("\n")[0]?.slice(0, 60)}`, () => {
      const messages = check({ path, text });
      expect(messages).toHaveLength(1);
      expect(messages[0]).toContain(says);
    });
  }

  test("a source file without a test and an exception without a cause", () => {
    const made = [
      { path: "src/wire/meter.ts", text: "export function meter() {}" },
      { path: "src/wire/shapes.ts", text: "export interface Shape {}" },
      { path: "src/wire/tested.ts", text: "export const TESTED = 1;" },
    ];
    const tests = new Set(["test/wire/tested_test.ts"]);
    expect(shape.missingTests(made, tests, { "src/wire/tested.ts": "no reason" })).toEqual([
      "src/wire/meter.ts has no test. Write test/wire/meter_test.ts.",
      "src/wire/tested.ts is excepted from having a test for nothing. Drop the exception.",
    ]);
  });

  test("a file that nothing imports, though an import of types counts", () => {
    const made = [
      { path: "src/main.ts", text: 'import type { A } from "./a.ts";' },
      { path: "src/a.ts", text: "" },
      { path: "src/b.ts", text: "" },
    ];
    expect(shape.deadFiles(made, /main/)).toEqual(["src/b.ts is imported by nothing. Delete it."]);
  });

  test("a migration that is not registered, or out of order", () => {
    const files = ["migrations/0001_a.ts", "migrations/0002_b.ts", "migrations/registry.ts"];
    expect(shape.unregistered(files, ["0001_a", "0002_b"])).toEqual([]);
    expect(shape.unregistered(files, ["0001_a"])).toHaveLength(1);
    expect(shape.unregistered(files, ["0002_b", "0001_a"])).toHaveLength(1);
  });
});

describe("tidy has no objection to", () => {
  const fine: { check: Check; path: string; text: string }[] = [
    { check: floors, path: "src/store/migrate.ts", text: 'import "../../migrations/registry.ts";' },
    { check: floors, path: "src/cli/serve.ts", text: 'import { openApp } from "../app.ts";' },
    { check: floors, path: "src/app.ts", text: 'import type { Config } from "./config.ts";' },
    { check: floors, path: "src/std/sse.ts", text: '// import "../store/sqlite.ts"' },
    { check: bans, path: "src/app.ts", text: "Bun.serve({\n  fetch(request) {\n  },\n});" },
    { check: bans, path: "src/wire/openai.ts", text: "// Date.now() is not used here" },
    { check: bans, path: "src/domain/month.ts", text: "const time = new Date(timeMs);" },
    { check: bans, path: "src/wire/translate.ts", text: 'if (wire === "anthropic") return;' },
    {
      check: shape.functionLength,
      path: "src/a.ts",
      text: `const T = {\n${"  a,\n".repeat(99)}};\n`,
    },
  ];
  for (const { check, path, text } of fine) {
    test(`${path}: ${text.split("\n")[0]}`, () => expect(check({ path, text })).toEqual([]));
  }
});
