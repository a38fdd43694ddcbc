import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, type ExitCode } from "../exit_codes.ts";

/** The service cannot be installed or removed. The message says what is wrong, `fix` what to do. */
export class SystemdError extends Error {
  readonly fix: string;
  readonly exitCode: ExitCode;

  constructor(message: string, { fix, exitCode }: { fix: string; exitCode: ExitCode }) {
    super(message);
    this.fix = fix;
    this.exitCode = exitCode;
  }
}

/** How a program ended, and what it printed on both outputs. */
export interface Ran {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program to its end; null if the machine has none of that name. */
export type Run = (command: readonly [string, ...string[]]) => Ran | null;

/** What a service is installed on: this machine, or a folder in which the files of another are staged. */
export interface Machine {
  /** Every file is written below this folder; `/` for this machine. */
  readonly root: string;
  /** Null for a staging folder: there only files count. */
  readonly run: Run | null;
  /** Who asks, by id; 0 is root. */
  readonly userId: number;
  /** Says one thing that was done, or found done. */
  say(line: string): void;
}

/** Returns this machine, or the staging folder. */
export function thisMachine(root: string, say: (line: string) => void): Machine {
  return { root, run: root === "/" ? runProgram : null, userId: process.getuid?.() ?? 0, say };
}

/** Returns where a file of the machine is for this process. */
export function placeOn({ root }: Machine, path: string): string {
  return join(root, path);
}

/** Returns the text of a file of the machine, or an empty one if there is no such file. */
export function textOn(machine: Machine, path: string): string {
  const place = placeOn(machine, path);
  return existsSync(place) ? readFileSync(place, "utf8") : "";
}

/** @throws {SystemdError} If this user may not change the machine. */
export function mustBeRoot(machine: Machine, verb: "install" | "uninstall"): void {
  if (machine.run === null || machine.userId === 0) return;
  throw new SystemdError(`Cannot ${verb} the service: only root may change this machine`, {
    fix: `sudo inference-proxy systemd ${verb}, or stage its files in a folder: --root DIR`,
    exitCode: EXIT.permission,
  });
}

/**
 * Runs a program that the machine has and that must succeed.
 *
 * @throws {SystemdError} If it does not, with the last thing it printed.
 */
export function mustRun(run: Run, command: readonly [string, ...string[]], fix: string): void {
  const ran = run(command);
  if (ran?.exitCode === 0) return;
  const reason = ran?.output.trim().split("\n").at(-1) || "it says nothing";
  const why = ran === null ? "there is no such program" : reason;
  throw new SystemdError(`Cannot run "${command.join(" ")}": ${why}`, {
    fix,
    exitCode: EXIT.unavailable,
  });
}

function runProgram([name, ...rest]: readonly [string, ...string[]]): Ran | null {
  // A root's path may lack the folders of the programs that only root needs.
  const path = Bun.which(name) ?? Bun.which(name, { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
  if (path === null) return null;
  const { exitCode, stdout, stderr } = Bun.spawnSync([path, ...rest], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return { exitCode, output: `${stdout}${stderr}` };
}
