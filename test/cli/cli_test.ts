import { expect, setDefaultTimeout, test } from "bun:test";
import { SETTING_ROWS } from "../../src/config.ts";
import { PROGRAM_TIMEOUT_MS, runProgram } from "./program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

test("help lists the commands", async () => {
  for (const word of ["help", "--help", "-h"]) {
    const { exitCode, stdout } = await runProgram([word]);
    expect(exitCode).toBe(0);
    for (const command of ["serve", "demo", "version", "help"])
      expect(stdout).toContain(`  ${command} `);
  }
});

test("help of serve names every setting with its variable and default, and shows examples", async () => {
  const { exitCode, stdout } = await runProgram(["serve", "--help"]);
  expect(exitCode).toBe(0);
  for (const row of SETTING_ROWS) {
    expect(stdout).toContain(`${row.flag} ${row.value}`);
    expect(stdout).toContain(row.environment);
    expect(stdout).toContain(row.default);
  }
  expect(stdout).toContain("Examples:\n  inference-proxy serve\n");
  expect((await runProgram(["help", "serve"])).stdout).toBe(stdout);
});

test("version is one line for people and one object for machines", async () => {
  expect((await runProgram(["--version"])).stdout).toMatch(
    /^Inference Proxy \S+  \(.+, bun .+\)\n$/,
  );
  const { stdout } = await runProgram(["version", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ bun: Bun.version });
});

const REFUSED = [
  { argv: [], says: "a command is missing" },
  { argv: ["srve"], says: "did you mean serve?" },
  { argv: ["help", "nothing-like-it"], says: "there is no such command" },
  { argv: ["serve", "--lisen", "a:1"], says: "did you mean --listen?" },
  { argv: ["serve", "--listen", "8080"], says: "expected HOST:PORT" },
  { argv: ["demo", "--twice"], says: "unknown flag --twice" },
  { argv: ["version", "stray"], says: 'unexpected word "stray"' },
];

for (const { argv, says } of REFUSED) {
  test(`"${argv.join(" ")}" is refused on standard error, with exit code 64`, async () => {
    const { exitCode, stdout, stderr } = await runProgram(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toStartWith("error: Cannot ");
    expect(stderr).toContain("  fix       ");
    expect(stderr).toContain(says);
  });
}

test("an unknown variable is refused with exit code 78", async () => {
  const { exitCode, stderr } = await runProgram(["serve"], { INFERENCE_PROXY_LISTN: "a:1" });
  expect(exitCode).toBe(78);
  expect(stderr).toContain("did you mean INFERENCE_PROXY_LISTEN?");
});
