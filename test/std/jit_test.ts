import { expect, test } from "bun:test";
import { join } from "node:path";

const SAYS = `import { isJitActive } from ${JSON.stringify(join(import.meta.dir, "../../src/std/jit.ts"))};
console.log(isJitActive());`;

/** Asks a process of its own, whose engine is told not to compile by a variable of its own. */
async function ask(environment: Record<string, string>): Promise<string> {
  const child = Bun.spawn([process.execPath, "-e", SAYS], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdout: "pipe",
  });
  return (await new Response(child.stdout).text()).trim();
}

test("it is active, unless the engine is not allowed to compile", async () => {
  expect(await ask({})).toBe("true");
  expect(await ask({ BUN_JSC_useJIT: "0" })).toBe("false");
});
