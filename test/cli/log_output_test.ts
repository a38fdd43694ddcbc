import { describe, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { isJournal, isTerminal } from "../../src/cli/log_output.ts";

const ROOT = join(import.meta.dir, "../..");

/** Runs a program with a log of its own, and returns its exit code and what came on standard error. */
async function run(body: string, readStderr = true) {
  const program = `
    import { openLog } from "${ROOT}/src/cli/serve.ts";
    const log = openLog({ logLevel: "info", logFormat: "json", journalStream: null });
    ${body}`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "pipe" });
  if (!readStderr) await child.stderr.cancel();
  const stderr = readStderr ? await new Response(child.stderr).text() : "";
  const stdout = await new Response(child.stdout).text();
  return { exitCode: await child.exited, stderr, stdout };
}

const messages = (stderr: string) =>
  [...stderr.matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message);

test("neither a file nor another device is a terminal", () => {
  for (const path of [import.meta.path, "/dev/null"]) {
    const file = openSync(path, "r");
    expect(isTerminal(file)).toBe(false);
    closeSync(file);
  }
});

test("journald reads what systemd connected, unless it was redirected since", () => {
  const { dev, ino } = fstatSync(2);
  expect(isJournal(null)).toBe(false);
  expect(isJournal(`${dev}:${ino}`)).toBe(true);
  expect(isJournal(`${dev}:${ino + 1}`)).toBe(false);
});

describe("what is logged is written", () => {
  test("when the process exits at once", async () => {
    const { exitCode, stderr } = await run(`log.info("one"); log.info("two"); process.exit(3);`);
    expect({ exitCode, messages: messages(stderr) }).toEqual({
      exitCode: 3,
      messages: ["one", "two"],
    });
  });

  test("when the process comes to its end, and when an error ends it", async () => {
    expect(messages((await run(`log.info("one");`)).stderr)).toEqual(["one"]);
    const crashed = await run(`log.info("one"); setImmediate(() => { throw new Error("x"); });`);
    expect(crashed.exitCode).toBe(1);
    expect(messages(crashed.stderr)).toEqual(["one"]);
  });

  test("at once if it is a warning, with all that was logged before", async () => {
    const { stderr } = await run(
      `log.info("one"); log.warn("two"); log.info("lost"); process.kill(process.pid, "SIGKILL");`,
    );
    expect(messages(stderr)).toEqual(["one", "two"]);
  });
});

test("a reader that goes away ends nothing", async () => {
  const { exitCode, stdout } = await run(
    `let lines = 0;
     const timer = setInterval(() => {
       log.warn("x".repeat(1000));
       lines += 1;
       if (lines < 10) return;
       clearInterval(timer);
       console.log("served on");
     }, 1);`,
    false,
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "served on\n" });
});
