import { expect, test } from "bun:test";
import { join } from "node:path";
import { openTestApp } from "../support/app.ts";
import { openDirectory, PROGRAM_TIMEOUT_MS, runProgram } from "./program.ts";

test(
  "a backup tells programs what is in it, and people what is not",
  async () => {
    using folder = openDirectory();
    const app = await openTestApp();
    const path = join(folder.path, "backup.tar");
    const { exitCode, stdout, stderr } = await runProgram(["backup", path, "--json"], {
      INFERENCE_PROXY_DATA_DIR: app.dataDir,
    });
    const files = await new Bun.Archive(await Bun.file(path).bytes()).files();
    const manifest = await files.get("manifest.json")?.json();
    await app.close();
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ path, ...manifest });
    expect(stderr).toStartWith("note: the master key is not in it");
    expect(stderr).toContain(manifest.master_key_ids[0]);
  },
  PROGRAM_TIMEOUT_MS,
);
