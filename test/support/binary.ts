import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The binary under test; another may be named in the environment. */
export const BINARY = process.env["BINARY"] ?? join(import.meta.dir, "../../dist/inference-proxy");

/** How long a start may take before a test gives up on it, in milliseconds. */
const START_MS_MAX = 10_000;

/** How a process of the binary ended. */
export interface Ended {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the compiled binary that serves, killed at the latest at the end of the scope that started it. */
export interface RunningBinary extends AsyncDisposable {
  readonly pid: number;
  /** Where it listens, as it says itself. */
  readonly url: string;
  /** Everything it has printed so far, on both outputs. */
  output(): string;
  /** Sends SIGTERM, without waiting for the end. */
  terminate(): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  /** Sends SIGTERM and waits. @throws If it does not end with exit code 0. */
  stop(): Promise<Ended>;
  /** Sends SIGKILL and waits. */
  kill(): Promise<Ended>;
}

export interface BinaryOptions {
  /** Added to an environment that holds only what every shell has. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Whether it runs on a terminal, where its two outputs are one. */
  readonly terminal?: boolean;
}

/** A folder that is deleted at the end of the scope that opened it. */
export interface Folder extends Disposable {
  readonly path: string;
}

export function openFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "inference-proxy-binary-"));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Runs the binary to its end, for commands that end by themselves and starts that are refused. */
export async function runBinary(
  argv: readonly string[],
  options: BinaryOptions = {},
): Promise<Ended> {
  return spawnBinary(argv, options).ended;
}

/**
 * Starts the binary and resolves when it says that it is ready.
 *
 * @param argv What stands behind `serve`, such as `--data-dir`. It listens on a free port of loopback.
 * @throws If it ends instead, with what it printed.
 */
export async function startBinary(
  argv: readonly string[],
  options: BinaryOptions = {},
): Promise<RunningBinary> {
  const spawned = spawnBinary(["serve", "--listen", "127.0.0.1:0", ...argv], options);
  const { child, ended, output } = spawned;
  const kill = () => {
    child.kill("SIGKILL");
    return ended;
  };
  const tooLate = setTimeout(() => void kill(), START_MS_MAX);
  const address = await Promise.race([spawned.address, ended.then(() => null)]);
  clearTimeout(tooLate);
  if (address === null) throw new Error(`Cannot start the binary: it ended\n${output()}`);
  return {
    pid: child.pid,
    url: `http://${address}`,
    output,
    ended,
    terminate: () => child.kill("SIGTERM"),
    stop: async () => {
      child.kill("SIGTERM");
      const end = await ended;
      if (end.exitCode === 0) return end;
      throw new Error(`Cannot stop the binary: it ended with ${end.exitCode}\n${output()}`);
    },
    kill,
    [Symbol.asyncDispose]: async () => void (await kill()),
  };
}

function spawnBinary(argv: readonly string[], options: BinaryOptions) {
  if (!existsSync(BINARY)) {
    throw new Error(`Cannot test the binary: ${BINARY} is missing; run "make build"`);
  }
  const { PATH = "", HOME = "" } = process.env;
  const place = {
    cwd: options.workingDirectory ?? tmpdir(),
    env: { PATH, HOME, ...options.environment },
  };
  const { promise: address, resolve } = Promise.withResolvers<string>();
  const printed = { stdout: "", stderr: "" };
  const note = (name: "stdout" | "stderr", text: string) => {
    printed[name] += text;
    const ready = READY.exec(printed[name])?.slice(1).find(Boolean);
    if (ready !== undefined) resolve(ready);
  };
  const command = [BINARY, ...argv];
  const { child, read } = options.terminal
    ? spawnOnTerminal(command, place, note)
    : spawnPiped(command, place, note);
  const ended = Promise.all([child.exited, read]).then(() => ({
    exitCode: child.exitCode,
    ...printed,
  }));
  return { child, ended, address, output: () => printed.stdout + printed.stderr };
}

/** What it says when it serves, to machines or to people. */
const READY = /"msg":"ready","listen":"([^"]+)"|\bready listen=(\S+)/;

interface Place {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

type Note = (name: "stdout" | "stderr", text: string) => void;

function spawnPiped(command: string[], place: Place, note: Note) {
  const child = Bun.spawn(command, { ...place, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const collect = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const piece of child[name]) note(name, decoder.decode(piece, { stream: true }));
  };
  return { child, read: Promise.all([collect("stdout"), collect("stderr")]) };
}

function spawnOnTerminal(command: string[], place: Place, note: Note) {
  const { promise: read, resolve } = Promise.withResolvers<void>();
  const decoder = new TextDecoder();
  const terminal = {
    cols: 120,
    rows: 40,
    data: (_: unknown, piece: Uint8Array) =>
      note("stdout", decoder.decode(piece, { stream: true })),
    exit: () => resolve(),
  };
  return { child: Bun.spawn(command, { ...place, terminal }), read };
}
