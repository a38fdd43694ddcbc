import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A data directory whose disk can be made to take nothing more, and to take all again. */
export interface BrokenDisk extends Disposable {
  readonly name: string;
  readonly dataDir: string;
  /** What the program must be started by. */
  readonly wrapper: readonly string[];
  fill(pid: number): void;
  free(pid: number): void;
}

const SIZE = "8m";
const BALLAST_FILE = "ballast";
const PAGE_BYTES = 4096;

/** Mounts a small file system; null if that is not permitted here. */
export function smallDisk(): BrokenDisk | null {
  const dataDir = mkdtempSync(join(tmpdir(), "inference-proxy-small-"));
  if (!run("mount", "-t", "tmpfs", "-o", `size=${SIZE},mode=700`, "tmpfs", dataDir)) {
    rmSync(dataDir, { recursive: true });
    return null;
  }
  const ballast = join(dataDir, BALLAST_FILE);
  const remove = () => {
    run("umount", "--lazy", dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  };
  process.on("exit", remove);
  return {
    name: `full disk of ${SIZE}`,
    dataDir,
    wrapper: [],
    fill: () => fillUp(ballast),
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

/** Limits the size of the files that a process may write: it needs no permission, and fails in another way. */
export function limitedDisk(): BrokenDisk {
  const dataDir = mkdtempSync(join(tmpdir(), "inference-proxy-limited-"));
  const limit = (pid: number, size: string) => {
    if (run("prlimit", "--pid", String(pid), `--fsize=${size}:`)) return;
    throw new Error("Cannot limit the size of files: prlimit failed");
  };
  return {
    name: "limited file size",
    dataDir,
    // Without this the first write beyond the limit ends the process.
    wrapper: ["sh", "-c", 'trap "" XFSZ; exec "$0" "$@"'],
    fill: (pid) => limit(pid, "1"),
    free: (pid) => limit(pid, "unlimited"),
    [Symbol.dispose]: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

function fillUp(path: string): void {
  const file = openSync(path, "a");
  const page = new Uint8Array(PAGE_BYTES);
  try {
    for (;;) writeSync(file, page);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
}

function run(...command: string[]): boolean {
  try {
    return Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).exitCode === 0;
  } catch {
    return false;
  }
}
