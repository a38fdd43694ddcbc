import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
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
    globalThis.held = openDataDir(${JSON.stringify(folder)});
    process.stdout.write("open");
    setInterval(() => {}, 1000);
  `;
  const holder = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "pipe" });
  try {
    const { value } = await holder.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe("open");
    expect(() => openDataDir(folder)).toThrow(DataDirLockedError);
  } finally {
    holder.kill("SIGKILL");
    await holder.exited;
  }
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

  test("one that nobody may create, not even root", () => {
    expect(() => openDataDir("/proc/inference-proxy")).toThrow(DataDirError);
  });

  test("one whose lock file cannot be opened", () => {
    mkdirSync(join(folder, "inference-proxy.lock"));
    expect(() => openDataDir(folder)).toThrow(DataDirError);
  });

  test("one whose lock file is something else", () => {
    writeFileSync(
      join(folder, "inference-proxy.lock"),
      "no database, but notes of somebody\n".repeat(9),
    );
    expect(() => openDataDir(folder)).toThrow(DataDirError);
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
