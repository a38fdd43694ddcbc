import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { runProgram } from "./program.ts";

/** Asks bash what it would complete. */
async function completed(script: string, words: readonly string[]): Promise<string[]> {
  const line = words.map((word) => `"${word}"`).join(" ");
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _inference_proxy; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = Bun.spawn(["bash", "-c", `cd /var/empty 2>/dev/null || cd /; ${script}\n${ask}`], {
    stdout: "pipe",
  });
  return (await new Response(child.stdout).text()).trim().split("\n");
}

test("bash completes commands, their second words and their flags", async () => {
  const { stdout } = await runProgram(["completion", "bash"]);
  const commands = await completed(stdout, ["inference-proxy", ""]);
  for (const { name } of COMMANDS) expect(commands).toContain(name.split(" ")[0] ?? "");
  const second = await completed(stdout, ["inference-proxy", "key", "re"]);
  expect(second).toEqual(["revoke"]);
  const flags = await completed(stdout, ["inference-proxy", "key", "create", "my-app", "--mon"]);
  expect(flags).toEqual(["--monthly-tokens"]);
  expect(await completed(stdout, ["inference-proxy", "settings", "reset-circuit", "--or"])).toEqual(
    ["--org"],
  );
  expect(await completed(stdout, ["inference-proxy", "serve", "--list"])).toEqual(["--listen"]);
});

test.each(["zsh", "fish"])("the script for %s names every command and flag", async (shell) => {
  const { stdout } = await runProgram(["completion", shell]);
  for (const { name, flags } of COMMANDS) {
    for (const word of name.split(" ")) expect(stdout).toContain(word);
    for (const flag of flags) expect(stdout).toContain(flag.name.slice(2));
  }
});

test("there is nothing for other shells", async () => {
  const { exitCode, stderr } = await runProgram(["completion", "toString"]);
  expect(exitCode).toBe(64);
  expect(stderr).toContain("write one of bash, zsh, fish");
});
