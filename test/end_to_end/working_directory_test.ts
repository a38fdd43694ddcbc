import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Folder, openFolder, runBinary, startBinary } from "../support/binary.ts";

setDefaultTimeout(30_000);

/** Fills a folder with what the runtime would read in the place of its own program's files. */
function openTrap(): Folder & { readonly marker: string } {
  const folder = openFolder();
  const marker = join(folder.path, "preloaded");
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
  // A name that does not exist is refused, so the start would fail if the file were read.
  write(".env", "INFERENCE_PROXY_NO_SUCH_NAME=1\nBUN_CONFIG_MAX_HTTP_REQUESTS=1\n");
  write(".env.production", "INFERENCE_PROXY_NO_SUCH_NAME=1\n");
  write(".env.local", "INFERENCE_PROXY_NO_SUCH_NAME=1\n");
  write("bunfig.toml", 'preload = ["./preload.ts"]\n');
  write("preload.ts", `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "");\n`);
  return { ...folder, marker };
}

test("the working directory's .env and bunfig.toml are not read", async () => {
  using trap = openTrap();
  const workingDirectory = trap.path;
  await using binary = await startBinary(["--data-dir", "./data"], { workingDirectory });
  expect(existsSync(join(trap.path, "data", "inference-proxy.db"))).toBe(true);
  expect((await fetch(`${binary.url}/readyz`)).status).toBe(200);
  await binary.stop();
  expect(existsSync(trap.marker)).toBe(false);
});

test("no option of the runtime makes it run other code", async () => {
  using trap = openTrap();
  const environment = { BUN_OPTIONS: "--preload ./preload.ts" };
  await runBinary(["version"], { workingDirectory: trap.path, environment });
  expect(existsSync(trap.marker)).toBe(false);
});
