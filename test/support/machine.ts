import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Machine, Ran, Run } from "../../src/cli/systemd/machine.ts";

/** A machine in a temporary folder, with a systemd that only keeps note of what it is asked. */
export interface TestMachine extends Disposable {
  readonly machine: Machine;
  /** The commands that were run, but for questions. */
  readonly commands: string[];
  /** What the user was told, line by line. */
  said(): string[];
  /** Whether the service runs. */
  active: boolean;
  /** Programs that the machine lacks. */
  readonly missing: Set<string>;
  /** Commands that fail, by how they begin. */
  readonly failing: Set<string>;
  path(path: string): string;
  write(path: string, text: string, mode?: number): void;
  read(path: string): string;
  /** Every file and folder with its mode, and the digest of what a file holds. */
  files(): Record<string, string>;
}

export interface TestMachineOptions {
  /** Whether systemd runs. */
  readonly booted?: boolean;
  /** Whether only files are staged: no program runs. */
  readonly staging?: boolean;
  readonly userId?: number;
}

export function openMachine(options: TestMachineOptions = {}): TestMachine {
  const { booted = true, staging = false, userId = 0 } = options;
  const root = mkdtempSync(join(tmpdir(), "inference-proxy-machine-"));
  const said: string[] = [];
  const path = (place: string) => join(root, place);
  const write: TestMachine["write"] = (place, text, mode = 0o644) => {
    mkdirSync(dirname(path(place)), { recursive: true });
    writeFileSync(path(place), text, { mode });
  };
  const opened: TestMachine = {
    machine: {
      root,
      run: staging ? null : (command) => run(opened, command),
      userId,
      say: (line) => said.push(line),
    },
    commands: [],
    said: () => said.join("\n").split("\n"),
    active: false,
    missing: new Set(),
    failing: new Set(),
    path,
    write,
    read: (place) => readFileSync(path(place), "utf8"),
    files: () => filesBelow(root),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
  if (staging) return opened;
  write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  if (booted) mkdirSync(path("/run/systemd/system"), { recursive: true });
  return opened;
}

const DONE: Ran = { exitCode: 0, output: "" };

function run(machine: TestMachine, [name, ...words]: Parameters<Run>[0]): Ran | null {
  if (machine.missing.has(name)) return null;
  const command = [name, ...words].join(" ");
  if (command === "systemctl --version") return DONE;
  if (command.startsWith("systemctl is-active"))
    return { exitCode: machine.active ? 0 : 3, output: "" };
  machine.commands.push(command);
  if ([...machine.failing].some((beginning) => command.startsWith(beginning)))
    return { exitCode: 1, output: "first line\nJob failed.\n" };
  if (name === "useradd" || name === "systemd-sysusers")
    appendFileSync(machine.path("/etc/passwd"), "inference-proxy:x:999:999::/:/usr/sbin/nologin\n");
  if (/^systemctl (re)?start /.test(command)) machine.active = true;
  if (command.startsWith("systemctl disable --now")) machine.active = false;
  return DONE;
}

function filesBelow(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const status = statSync(join(root, name));
      const mode = (status.mode & 0o7777).toString(8);
      const digest = status.isFile()
        ? ` ${Bun.SHA256.hash(readFileSync(join(root, name)), "hex")}`
        : "";
      return [`/${name}`, `${mode}${digest}`];
    }),
  );
}
