import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PLACES, SERVICE } from "../../src/cli/systemd/places.ts";
import { BINARY, type Ended } from "./binary.ts";
import { type DatagramReceiver, receiveDatagrams } from "./datagrams.ts";
import { outputOf } from "./output_of.ts";
import { readEnvironmentFile, readServiceStart, type ServiceStart } from "./unit_file.ts";

/**
 * A machine on which there is nothing but the C library and what a test puts there, in a folder of this one.
 *
 * Its processes run with that folder as their root, where this test may do that: as root, with namespaces of mounts.
 * Elsewhere they run beside the test's own, with the folder put in front of every path.
 */
export interface BareMachine extends AsyncDisposable {
  /** Whether its processes have the folder as their root. */
  readonly isolated: boolean;
  /** Whom the service runs as: somebody who may nothing. The test's own user, where that may not choose. */
  readonly userId: number;
  /** Returns where a path of the machine is for the test. */
  path(place: string): string;
  /** Returns what its own programs call that path. */
  seen(place: string): string;
  read(place: string): string;
  write(place: string, text: string | Uint8Array, mode?: number): void;
  /** Makes a folder that belongs to the service alone, with all that is in it, as an administrator does. */
  makeServiceFolder(place: string): void;
  /** Runs the installed program as the machine's administrator types it, in an empty environment. */
  type(words: readonly string[], input?: string): Promise<Ended>;
  /** Starts the service as its unit says, and resolves when it says that it is ready. */
  boot(): Promise<BareService>;
}

/** A process that was started as a unit says. */
export interface BareService {
  readonly pid: number;
  /** Where it serves, by what it tells its manager. */
  readonly url: string;
  /** What it was started with. */
  readonly start: ServiceStart;
  /** The messages to its manager so far, in order. */
  told(): readonly string[];
  /** The processes that sent them. */
  senders(): readonly number[];
  /** Resolves when it has told its manager this. */
  toldText(text: string): Promise<void>;
  /** What the journal has of it. */
  journal(): string;
  /** Ends it by SIGTERM, and takes back what was made for it. Returns its exit code. */
  stop(): Promise<number | null>;
}

/** Nobody's, in the range that systemd keeps for services. */
const SERVICE_USER_ID = 61_234;

/** What a machine has a folder for before anything is installed. */
const FOLDERS = ["proc", "dev", "tmp", "srv", "run/systemd", "var/log", "var/lib"];

const DEVICES = ["null", "zero", "random", "urandom"];

/** The path that systemd gives to a service and a login to its shell: on the machine nothing is there. */
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Sets the mask, enters the machine if one is named, and becomes the program. */
const BECOME = `
umask "$1" && root=$2 && proc=$3 && shift 3 || exit 1
if [ -n "$root" ]; then
  mount -t proc -o "$proc" proc "$root/proc" || exit 1
  for device in ${DEVICES.join(" ")}; do
    mount --bind "/dev/$device" "$root/dev/$device" || exit 1
  done
fi
unset PWD OLDPWD SHLVL _
if [ -n "$NOTIFY_SOCKET" ]; then
  export WATCHDOG_PID=$$ SYSTEMD_EXEC_PID=$$
fi
exec "$@"`;

const isRoot = process.getuid?.() === 0;

/** Whether processes can have a folder as their root, with what a system provides in it. */
const CAN_ISOLATE =
  isRoot &&
  ["unshare", "setpriv", "chroot", "prlimit"].every((name) => Bun.which(name) !== null) &&
  Bun.spawnSync([
    "unshare",
    "--mount",
    "sh",
    "-c",
    "mount -t proc -o subset=pid,hidepid=2 proc /proc && mount --bind /dev/null /dev/zero",
  ]).exitCode === 0;

/** Prepares a machine. @param isolated Whether to isolate it as far as this test may. */
export function openBareMachine(isolated: boolean = CAN_ISOLATE): BareMachine {
  const root = mkdtempSync(join(tmpdir(), "inference-proxy-bare-"));
  // Not only its owner has a machine.
  chmodSync(root, 0o755);
  for (const name of FOLDERS) mkdirSync(join(root, name), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  if (isolated) putSystem(root);
  const services = new Set<ServiceProcess>();
  const path = (place: string) => join(root, place);
  const machine: BareMachine = {
    isolated,
    userId: isRoot ? SERVICE_USER_ID : (process.getuid?.() ?? 0),
    path,
    seen: (place) => (isolated ? place : path(place)),
    read: (place) => readFileSync(path(place), "utf8"),
    write: (place, text, mode = 0o644) => {
      mkdirSync(dirname(path(place)), { recursive: true });
      writeFileSync(path(place), text, { mode });
    },
    makeServiceFolder: (place) => makeFolder(machine, place, 0o700),
    type: (words, input = "") => type(machine, words, input),
    boot: async () => {
      const service = new ServiceProcess(machine);
      services.add(service);
      await service.ready();
      return service;
    },
    [Symbol.asyncDispose]: async () => {
      for (const service of services) await service.end("SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
  return machine;
}

/** Puts the libraries that the program is linked with onto a machine, and places for what its system provides. */
function putSystem(root: string): void {
  const { stdout } = Bun.spawnSync(["ldd", BINARY]);
  const libraries = [...stdout.toString().matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  if (libraries.length === 0) throw new Error(`Cannot find the libraries of ${BINARY}`);
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  for (const name of DEVICES) writeFileSync(join(root, "dev", name), "");
}

function makeFolder(machine: BareMachine, place: string, mode: number): void {
  const folder = machine.path(place);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, mode);
  give(machine, folder);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    give(machine, join(folder, name));
}

/** Gives a file or folder to the service. */
function give({ userId }: BareMachine, path: string): void {
  if (isRoot) chownSync(path, userId, userId);
}

/** Returns the command line that becomes a program of the machine. */
function becoming(
  machine: BareMachine,
  command: readonly string[],
  { umask, proc, wrap }: { umask: string; proc: string; wrap: readonly string[] },
): string[] {
  const shell = [found("sh"), "-c", BECOME, "sh", umask];
  const [program = "", ...rest] = command;
  if (!machine.isolated) return [...shell, "", "", ...wrap, machine.path(program), ...rest];
  const enter = [found("unshare"), "--mount", ...shell, machine.path("/"), proc];
  return [...enter, ...wrap, program, ...rest];
}

/** Returns where a program of this machine is: the environment that it is started with may not say. */
function found(program: string): string {
  return Bun.which(program) ?? program;
}

async function type(machine: BareMachine, words: readonly string[], input: string): Promise<Ended> {
  const wrap = machine.isolated ? [found("chroot"), machine.path("/")] : [];
  const elsewhere = {
    INFERENCE_PROXY_DATA_DIR: machine.path(PLACES.dataDir),
    INFERENCE_PROXY_MASTER_KEY_FILE: machine.path(PLACES.masterKey),
  };
  const child = Bun.spawn(
    becoming(machine, [PLACES.binary, ...words], { umask: "022", proc: "nosuid", wrap }),
    {
      cwd: machine.path("/srv"),
      env: { PATH: SEARCH_PATH, HOME: "/srv", ...(machine.isolated ? {} : elsewhere) },
      stdin: Buffer.from(input),
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  return outputOf(child);
}

/** Where things of the running service are on a machine. */
const RUN = {
  notifySocket: "/run/systemd/notify",
  credentials: `/run/credentials/${SERVICE}.service`,
  journal: "/var/log/journal",
};

/** One process of the service, from its start to its end. */
class ServiceProcess implements BareService {
  readonly start: ServiceStart;
  readonly #machine: BareMachine;
  readonly #manager: DatagramReceiver;
  readonly #child: Bun.Subprocess;

  constructor(machine: BareMachine) {
    this.#machine = machine;
    this.start = readServiceStart(unitOf(machine));
    const socket = machine.path(RUN.notifySocket);
    rmSync(socket, { force: true });
    this.#manager = receiveDatagrams(socket);
    chmodSync(socket, 0o666);
    for (const { path, mode } of this.start.folders) makeFolder(machine, path, mode);
    putCredentials(machine, this.start);
    this.#child = spawnService(machine, this.start);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get url(): string {
    const [, address = ""] =
      /READY=1\nSTATUS=ready on ([^,\s]+)/.exec(this.told().join("\n")) ?? [];
    return `http://${address}`;
  }

  /** @throws If the process ends instead, with what it wrote. */
  async ready(): Promise<void> {
    const ended = this.#child.exited.then((exitCode) => ({ exitCode }));
    const end = await Promise.race([this.toldText("READY=1").then(() => null), ended]);
    if (end !== null)
      throw new Error(`Cannot start the service: it ended with ${end.exitCode}\n${this.journal()}`);
  }

  told(): readonly string[] {
    return this.#manager.received();
  }

  senders(): readonly number[] {
    return this.#manager.senders();
  }

  toldText(text: string): Promise<void> {
    return this.#manager.receivedText(text);
  }

  journal(): string {
    return this.#machine.read(RUN.journal);
  }

  stop(): Promise<number | null> {
    return this.end("SIGTERM");
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    this.#child.kill(signal);
    await this.#child.exited;
    this.told();
    this.#manager[Symbol.dispose]();
    // Only root may empty a folder that nobody may write to.
    const credentials = this.#machine.path(RUN.credentials);
    if (existsSync(credentials)) chmodSync(credentials, 0o700);
    const runtime = this.start.folders.filter(({ path }) => path.startsWith("/run/"));
    for (const place of [RUN.credentials, RUN.notifySocket, ...runtime.map(({ path }) => path)])
      rmSync(this.#machine.path(place), { recursive: true, force: true });
    return this.#child.exitCode;
  }
}

/** Returns the text of the installed unit, with its drop-ins behind it. */
function unitOf(machine: BareMachine): string {
  const folder = machine.path(PLACES.dropIns);
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  const dropIns = names.map((name) => machine.read(join(PLACES.dropIns, name)));
  return [machine.read(PLACES.unit), ...dropIns].join("\n");
}

function putCredentials(machine: BareMachine, { credentials }: ServiceStart): void {
  if (credentials.length === 0) return;
  for (const { name, path } of credentials) {
    const place = join(RUN.credentials, name);
    rmSync(machine.path(place), { force: true });
    machine.write(place, readFileSync(machine.path(path)), 0o400);
    give(machine, machine.path(place));
  }
  const folder = machine.path(RUN.credentials);
  chmodSync(folder, 0o500);
  give(machine, folder);
}

function spawnService(machine: BareMachine, start: ServiceStart): Bun.Subprocess {
  // The journal is one place for both outputs, and the service can tell that by its number.
  const journal = openSync(machine.path(RUN.journal), "a");
  const { dev, ino } = fstatSync(journal);
  const { umask } = start;
  const proc = "subset=pid,hidepid=2";
  try {
    return Bun.spawn(
      becoming(machine, start.command, { umask, proc, wrap: walls(machine, start) }),
      {
        cwd: machine.path(start.workingDirectory),
        env: environmentOf(machine, start, `${dev}:${ino}`),
        stdin: "ignore",
        stdout: journal,
        stderr: journal,
      },
    );
  } finally {
    closeSync(journal);
  }
}

/** Returns what takes rights from the program, as far as the test itself has them. */
function walls(machine: BareMachine, start: ServiceStart): string[] {
  if (!isRoot) return [];
  const id = String(machine.userId);
  const files = Math.min(start.openFilesMax, ownOpenFilesMax());
  const limits = [`--nofile=${files}:${files}`, `--core=${start.coreBytesMax}`];
  const rights = start.noNewPrivileges ? ["--no-new-privs"] : [];
  const become = machine.isolated
    ? [...rights, found("chroot"), `--userspec=${id}:${id}`, "--groups=", machine.path("/")]
    : [...rights, `--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
  return [found("prlimit"), ...limits, found("setpriv"), ...become];
}

/** Returns how many files a process of this test may have open, which a container may not let it raise. */
export function ownOpenFilesMax(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  return Number(/^Max open files +\S+ +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

/** Returns the environment that systemd starts a service with. */
function environmentOf(
  machine: BareMachine,
  start: ServiceStart,
  journalStream: string,
): Record<string, string> {
  const { seen } = machine;
  const files = start.environmentFiles.map(({ path, optional }) => {
    if (optional && !existsSync(machine.path(path))) return {};
    return readEnvironmentFile(machine.read(path));
  });
  const folders = start.folders.map(({ variable, path }) => [variable, seen(path)] as const);
  const environment: Record<string, string> = {
    // Nothing of this machine's own is to be found where the program runs beside it.
    PATH: machine.isolated ? SEARCH_PATH : machine.path("/usr/local/bin"),
    LANG: "C.UTF-8",
    USER: start.user,
    LOGNAME: start.user,
    HOME: seen(PLACES.dataDir),
    SHELL: "/usr/sbin/nologin",
    INVOCATION_ID: crypto.randomUUID().replaceAll("-", ""),
    JOURNAL_STREAM: journalStream,
    NOTIFY_SOCKET: seen(RUN.notifySocket),
    WATCHDOG_USEC: String(start.watchdogUsec),
    CREDENTIALS_DIRECTORY: seen(RUN.credentials),
    ...Object.fromEntries(folders),
    ...start.environment,
    ...Object.assign({}, ...files),
  };
  for (const name of start.unsetEnvironment) delete environment[name];
  // The unit names the folder of the machine, which is elsewhere for a program beside it.
  const dataDir = "INFERENCE_PROXY_DATA_DIR";
  if (environment[dataDir] !== undefined) environment[dataDir] = seen(environment[dataDir]);
  return environment;
}
