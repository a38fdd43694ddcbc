import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { formatSession, parseSession, runSession } from "../support/session.ts";

setDefaultTimeout(60_000);

const FOLDER = join(import.meta.dir, "sessions");

/** `UPDATE_SESSIONS=1` writes what was printed into the files, to be read before it is believed. */
const updates = process.env["UPDATE_SESSIONS"] === "1";

for (const file of readdirSync(FOLDER).sort()) {
  const path = join(FOLDER, file);
  const session = parseSession(readFileSync(path, "utf8"));
  for (const state of session.states) {
    test(`${file}: ${session.title} (server: ${state})`, async () => {
      const printed = await runSession(session, state);
      const steps = session.steps.map((step, index) => ({
        ...step,
        printed: printed[index] ?? "",
      }));
      const played = formatSession({ ...session, steps });
      if (updates) writeFileSync(path, played);
      expect(played).toBe(formatSession(session));
    });
  }
}

test("every command is shown in a session", () => {
  const texts = readdirSync(FOLDER).map((file) => readFileSync(join(FOLDER, file), "utf8"));
  const shown = (name: string) => texts.some((text) => text.includes(`inference-proxy ${name}`));
  expect(COMMANDS.map((command) => command.name).filter((name) => !shown(name))).toEqual([]);
});
