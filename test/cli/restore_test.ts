import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backUpToFile } from "../../src/store/backup.ts";
import { openTestApp } from "../support/app.ts";
import { openDirectory, PROGRAM_TIMEOUT_MS, runProgram } from "./program.ts";

/** What may be where the proxy looks for its master key, and what is said to it. */
const MASTER_KEYS: {
  state: string;
  put: (from: string, to: string) => void;
  warns: string | null;
}[] = [
  { state: "right", put: (from, to) => copyFileSync(from, to), warns: null },
  { state: "missing", put: () => {}, warns: "is not there" },
  {
    state: "another",
    put: (_, to) => {
      const key = crypto.getRandomValues(new Uint8Array(32)).toHex();
      writeFileSync(to, key, { mode: 0o600 });
    },
    warns: "is another one, with id",
  },
  {
    state: "unusable",
    put: (_, to) => writeFileSync(to, "no key", { mode: 0o600 }),
    warns: "expected 32 random bytes",
  },
];

for (const { state, put, warns } of MASTER_KEYS) {
  test(
    `a restore says of a master key that is ${state}: ${warns ?? "nothing"}`,
    async () => {
      using folder = openDirectory();
      const app = await openTestApp();
      const backup = join(folder.path, "backup.tar");
      await backUpToFile(backup, false, {
        databasePath: join(app.dataDir, "inference-proxy.db"),
        programVersion: "0.1.0",
        nowMs: Date.UTC(2026, 5, 15),
      });
      const dataDir = join(folder.path, "data");
      mkdirSync(dataDir);
      put(join(app.dataDir, "master.key"), join(dataDir, "master.key"));
      await app.close();
      const restored = await runProgram(["restore", backup, "--data-dir", dataDir, "--json"]);
      expect(restored.exitCode).toBe(0);
      expect(JSON.parse(restored.stdout)).toMatchObject({
        created_at: "2026-06-15T00:00:00Z",
        organizations: 1,
        master_key: state,
      });
      if (warns === null) expect(restored.stderr).toBe("");
      else expect(restored.stderr).toStartWith("warning: the proxy will not start yet");
      expect(restored.stderr).toContain(warns ?? "");
    },
    PROGRAM_TIMEOUT_MS,
  );
}
