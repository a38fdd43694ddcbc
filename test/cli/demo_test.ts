import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { openDirectory, PROGRAM_TIMEOUT_MS, runProgram } from "./program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

test("the demo streams one call per wire, shows what they cost, and leaves nothing behind", async () => {
  const { exitCode, stdout, stderr } = await runProgram(["demo", "--once"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const answers = stdout.match(/Hello from the stand-in provider\. You wrote: "What are you\?"/g);
  expect(answers).toHaveLength(2);
  expect(stdout).toMatch(/openai\/gpt-4o-mini +1 +\d+ +\d+ +\$0\.0000\d\d\n/);
  expect(stdout).toMatch(/anthropic\/claude-sonnet-4-5 +1 +\d+ +\d+ +\$0\.000\d\d\d\n/);
  expect(stdout).toMatch(/curl -N http:\/\/127\.0\.0\.1:\d+\/inference\/v1\/chat\/completions/);
  expect(stdout).toMatch(/authorization: Bearer fdb-inf-/);
  const directory = /Data +(\S+)/.exec(stdout)?.[1];
  expect(existsSync(directory ?? "/")).toBe(false);
});

test("a demo in a directory of its own can be run again, and adds to the bill", async () => {
  using directory = openDirectory();
  const argv = ["demo", "--once", "--data-dir", directory.path];
  expect((await runProgram(argv)).exitCode).toBe(0);
  const { exitCode, stdout } = await runProgram(argv);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/openai\/gpt-4o-mini +2 /);
});

test("the demo keeps away from what is set up for the real thing", async () => {
  using directory = openDirectory();
  const environment = { INFERENCE_PROXY_DATA_DIR: directory.path, INFERENCE_PROXY_LISTEN: "bad" };
  const { exitCode } = await runProgram(["demo", "--once"], environment);
  expect(exitCode).toBe(0);
  expect(existsSync(`${directory.path}/inference-proxy.db`)).toBe(false);
});
