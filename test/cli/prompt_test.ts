import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROMPT = join(import.meta.dir, "../../src/cli/prompt.ts");
const folder = mkdtempSync(join(tmpdir(), "prompt-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs an expression on a terminal, types when a text is shown, and returns everything that was on the screen. */
async function onTerminal(expression: string, answers: readonly [shown: string, typed: string][]) {
  const program = join(folder, "program.ts");
  writeFileSync(
    program,
    `import * as prompt from ${JSON.stringify(PROMPT)};
     const value = await (${expression}).catch((error) => error.message);
     console.log("got " + (typeof value === "object" ? value.reveal() : value));`,
  );
  let screen = "";
  let seen = 0;
  const waiting = [...answers];
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, program], {
    terminal: {
      data: (terminal, piece) => {
        screen += decoder.decode(piece, { stream: true });
        const [next] = waiting;
        const at = next === undefined ? -1 : screen.indexOf(next[0], seen);
        if (next === undefined || at === -1) return;
        seen = at + next[0].length;
        waiting.shift();
        terminal.write(next[1]);
      },
    },
  });
  await child.exited;
  return screen.replaceAll("\r", "");
}

test("a secret that is typed is not shown, and can be corrected", async () => {
  const screen = await onTerminal('prompt.askSecret("Provider key")', [
    ["(not shown): ", "sk-ab\u007fc\r"],
  ]);
  expect(screen).toBe("Provider key (not shown): \ngot sk-ac\n");
});

test("a new secret is typed twice, and both have to be the same", async () => {
  const same = [
    ["Password (not shown): ", "one\r"],
    ["Password again (not shown): ", "one\r"],
  ] as const;
  expect(
    await onTerminal('prompt.askNewSecret("Password")', [[...same[0]], [...same[1]]]),
  ).toContain("got one");
  const other: [string, string] = ["Password again (not shown): ", "two\r"];
  expect(await onTerminal('prompt.askNewSecret("Password")', [[...same[0]], other])).toContain(
    "got Cannot go on: the two differ",
  );
});

test("an interrupt ends the question", async () => {
  const screen = await onTerminal('prompt.askSecret("Password")', [["(not shown): ", "ab\u0003"]]);
  expect(screen).toContain("got Cannot go on: interrupted");
});

test("only yes is yes", async () => {
  for (const [typed, value] of [
    ["yes\r", true],
    ["y\r", false],
    ["\r", false],
  ] as const) {
    const screen = await onTerminal('prompt.confirm("Really?")', [["to go on: ", typed]]);
    expect(screen).toContain(`got ${value}`);
  }
});

test("without a terminal a secret is the first line that is piped in, and nobody says yes", async () => {
  const program = `import * as prompt from ${JSON.stringify(PROMPT)};
    console.log((await prompt.askNewSecret("Key")).reveal(), await prompt.confirm("Really?"));`;
  const child = Bun.spawn([process.execPath, "-e", program], {
    stdin: new Blob(["sk-1\nyes\n"]),
    stdout: "pipe",
  });
  expect(await new Response(child.stdout).text()).toBe("sk-1 false\n");
});
