import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { PROGRAM_TIMEOUT_MS, runProgram } from "./program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

test("openapi prints the document that is served, and takes no words", async () => {
  const { exitCode, stdout, stderr } = await runProgram(["openapi"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toBe(await Bun.file(join(import.meta.dir, "../../src/openapi.json")).text());
  expect((await runProgram(["openapi", "--html"])).exitCode).toBe(64);
});
