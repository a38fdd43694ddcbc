import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { manualPage } from "../../src/cli/manual.ts";
import { EXIT } from "../../src/cli/exit_codes.ts";
import { runProgram } from "./program.ts";

const PAGE = manualPage(COMMANDS, { version: "1.2.3", date: "2026-06-01" });

/** What a reader sees: escapes are undone, fonts left out. */
function plain(roff: string): string {
  const named: Record<string, string> = { aq: "'", ga: "`", ha: "^", ti: "~", dq: '"' };
  return roff
    .replaceAll(/\\f[BIR]/g, "")
    .replaceAll(/\\\((\w\w)/g, (_, name: string) => named[name] ?? "")
    .replaceAll("\\-", "-")
    .replaceAll("\\&", "")
    .replaceAll("\\e", "\\");
}

/** Returns what stands under a heading, until the next one. */
function section(heading: string): string {
  const text = plain(PAGE);
  const begin = text.indexOf(`\n.SS "${heading}`);
  if (begin === -1) return "";
  const end = text.slice(begin + 1).search(/\n\.S[HS] /);
  return text.slice(begin, begin + 1 + end);
}

test("every command is in it, with its arguments, flags, defaults, variables and examples", () => {
  for (const command of COMMANDS) {
    const said = section(command.name);
    expect(said).toContain(`${command.summary}.`);
    for (const { name, help } of command.arguments) expect(said).toContain(`${name}\n${help}.`);
    for (const { name, value, help, ...flag } of command.flags) {
      expect(said).toContain(`\n${name}${value === "" ? "" : ` ${value}`}\n${help}.`);
      if (flag.default) expect(said).toContain(`\nDefault: ${flag.default}.`);
      if (flag.environment) expect(said).toContain(`\nVariable: ${flag.environment}.`);
    }
    for (const note of command.notes ?? []) expect(said).toContain(note);
    for (const example of command.examples) expect(said).toContain(`inference-proxy ${example}\n`);
  }
});

test("it tells the version, when that was, and every exit code", () => {
  expect(PAGE).toStartWith('.TH "INFERENCE\\-PROXY" "1" "2026-06-01" "Inference Proxy 1.2.3"\n');
  const codes = plain(PAGE.slice(PAGE.indexOf('.SH "EXIT STATUS"')));
  for (const code of Object.values(EXIT)) expect(codes).toContain(`.TP\n${code}\n`);
});

test("what roff would read as its own is written as text", () => {
  const page = manualPage(
    [
      {
        name: "odd",
        group: "Other",
        summary: ".so /etc/passwd",
        arguments: [],
        flags: [],
        examples: ["odd 'C:\\new' ~/x --all"],
        run: async () => EXIT.ok,
      },
    ],
    { version: "1", date: "" },
  );
  expect(page).toContain("\n\\&.so /etc/passwd.\n");
  expect(page).toContain("odd \\(aqC:\\enew\\(aq \\(ti/x \\-\\-all\n");
});

test("the command prints the page of this program", async () => {
  const { exitCode, stdout } = await runProgram(["manual"]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(manualPage(COMMANDS, { version: "development", date: "" }));
});

const CHECKERS: Readonly<Record<string, readonly string[]>> = {
  mandoc: ["mandoc", "-Tlint", "-Wwarning"],
  groff: ["groff", "-man", "-Tascii", "-wall", "-z"],
};

for (const [name, command] of Object.entries(CHECKERS)) {
  const missing = Bun.which(name) === null;
  const skipped = missing ? ` (SKIPPED: ${name} is not installed here)` : "";
  test.skipIf(missing)(`${name} has no complaint about it${skipped}`, () => {
    const { stdout, stderr } = Bun.spawnSync([...command], { stdin: Buffer.from(PAGE) });
    expect(stdout.toString() + stderr.toString()).toBe("");
  });
}
