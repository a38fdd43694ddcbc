import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** A test may start several processes, on a machine that has other things to do. */
export const PROGRAM_TIMEOUT_MS = 30_000;

/** How the program ended. */
export interface Ended {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the program that says that it is ready. */
export interface Serving {
  readonly pid: number;
  readonly url: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<Ended>;
  /** Resolves when the text has been printed, on either output. */
  printed(text: string): Promise<void>;
  signal(name: "SIGTERM" | "SIGINT" | "SIGHUP"): void;
}

/** Runs the program from source to its end, with hardly any environment but the one given. */
export async function runProgram(
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> {
  return start(argv, environment).ended;
}

/** Starts `serve` on a free port and resolves when it is ready. @throws If it ends instead. */
export async function serveProgram(
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<Serving> {
  const running = start(["serve", "--listen", "127.0.0.1:0", ...argv], environment);
  const ended = running.ended.then((end) => Promise.reject(new Error(end.stdout + end.stderr)));
  await Promise.race([running.printed('"msg":"ready"'), ended]);
  const address = /"listen":"([^"]+)"/.exec(running.output())?.[1];
  return { ...running, url: `http://${address}` };
}

/** A directory that is removed at the end of the scope that opened it. */
export function openDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "inference-proxy-cli-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function start(argv: readonly string[], environment: Record<string, string>) {
  const child = Bun.spawn([process.execPath, MAIN, ...argv], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = { stdout: "", stderr: "" };
  const output = () => texts.stdout + texts.stderr;
  const waiting = new Map<string, () => void>();
  const collect = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const piece of child[name]) {
      texts[name] += decoder.decode(piece, { stream: true });
      for (const [text, resolve] of waiting) if (output().includes(text)) resolve();
    }
  };
  const ended = Promise.all([child.exited, collect("stdout"), collect("stderr")]).then(
    (): Ended => ({ exitCode: child.exitCode, ...texts }),
  );
  return {
    pid: child.pid,
    ended,
    output,
    printed: (text: string) =>
      new Promise<void>((resolve) => {
        waiting.set(text, resolve);
        if (output().includes(text)) resolve();
      }),
    signal: (name: "SIGTERM" | "SIGINT" | "SIGHUP") => child.kill(name),
  };
}
