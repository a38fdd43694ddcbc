import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirError, DataDirLockedError, openDataDir } from "../../src/store/data_dir.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inference-proxy-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a missing directory is created with its parents, for its owner alone", () => {
  const path = join(folder, "deep", "data");
  const dataDir = openDataDir(path);
  expect(dataDir.path).toBe(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  dataDir.close();
});

test("an open directory is refused to whoever comes second, and given once it is closed", () => {
  const first = openDataDir(folder);
  const error = thrownBy(() => openDataDir(folder));
  expect(error).toBeInstanceOf(DataDirLockedError);
  expect(error).toMatchObject({ path: folder, message: expect.stringContaining(folder) as string });
  first.close();
  openDataDir(folder).close();
});

test("an open directory is refused to another process, and given when its process is killed", async () => {
  const program = `
    import { openDataDir } from ${JSON.stringify(join(import.meta.dir, "../../src/store/data_dir.ts"))};
    openDataDir(${JSON.stringify(folder)});
    process.stdout.write("open");
    setInterval(() => {}, 1000);
  `;
  const holder = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  const { value } = await holder.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("open");
  expect(() => openDataDir(folder)).toThrow(DataDirLockedError);
  holder.kill("SIGKILL");
  await holder.exited;
  openDataDir(folder).close();
});

describe("a directory that cannot be written is refused:", () => {
  test("a file in its place", () => {
    const path = join(folder, "file");
    writeFileSync(path, "kept");
    const error = thrownBy(() => openDataDir(path));
    expect(error).toBeInstanceOf(DataDirError);
    expect(error).toMatchObject({ path });
  });

  test("a file in place of its parent", () => {
    writeFileSync(join(folder, "file"), "kept");
    expect(() => openDataDir(join(folder, "file", "data"))).toThrow(DataDirError);
  });

  test("one that only root could write", () => {
    const path = join(folder, "data");
    openDataDir(path).close();
    chmodSync(path, 0o500);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) openDataDir(path).close();
    else expect(() => openDataDir(path)).toThrow(DataDirError);
    chmodSync(path, 0o700);
  });

  test("one whose lock file cannot be opened", () => {
    const path = join(folder, "data");
    openDataDir(path).close();
    rmSync(join(path, "inference-proxy.lock"), { force: true });
    openDataDir(join(path, "inference-proxy.lock")).close();
    expect(existsSync(join(path, "inference-proxy.lock", "inference-proxy.lock"))).toBe(true);
    expect(() => openDataDir(path)).toThrow(DataDirError);
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
