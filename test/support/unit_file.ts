/** How a unit has its service started, with nothing left open but what the machine knows. */
export interface ServiceStart {
  /** The program, by its path, and its arguments. */
  readonly command: readonly [program: string, ...rest: string[]];
  readonly workingDirectory: string;
  readonly user: string;
  readonly group: string;
  /** As `Environment=` sets it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files that set more, in order. */
  readonly environmentFiles: readonly { readonly path: string; readonly optional: boolean }[];
  /** Names that are taken away again, wherever they were set. */
  readonly unsetEnvironment: readonly string[];
  /** What the service finds in `$CREDENTIALS_DIRECTORY`, by name, and the files it is copied from. */
  readonly credentials: readonly { readonly name: string; readonly path: string }[];
  /** Folders that are made for the service, and the variables that name them. */
  readonly folders: readonly ServiceFolder[];
  /** Octal, as `umask` takes it. */
  readonly umask: string;
  readonly openFilesMax: number;
  readonly coreBytesMax: number;
  readonly noNewPrivileges: boolean;
  /** How long it may give no sign of life, in microseconds. */
  readonly watchdogUsec: number;
}

/** A folder of the service's own. */
export interface ServiceFolder {
  readonly path: string;
  readonly mode: number;
  readonly variable: string;
}

/** The directives of one section: every value of each, in order; an empty value has taken back those before it. */
type Section = ReadonlyMap<string, readonly string[]>;

/** What decides how a process is watched and walled in, or what becomes of it later: nothing of it starts a process. */
const NOT_OF_THE_START =
  /^(Restart(Sec|PreventExitStatus)?|Timeout(Start|Stop)Sec|KillMode|OOMPolicy|SyslogIdentifier|TasksMax|Memory(Swap)?Max|IPAddress(Deny|Allow)|CapabilityBoundingSet|AmbientCapabilities|DevicePolicy|Private\w+|Protect\w+|ProcSubset|Restrict\w+|RemoveIPC|KeyringMode|LockPersonality|SystemCall\w+)$/;

/** The folder that stands for a kind of directory, and the variable that systemd names it in. */
const FOLDERS = {
  StateDirectory: { above: "/var/lib", variable: "STATE_DIRECTORY" },
  RuntimeDirectory: { above: "/run", variable: "RUNTIME_DIRECTORY" },
} as const;

/**
 * Reads how a unit has its service started. Drop-ins are appended to the unit's text, as systemd reads them.
 *
 * @throws {SyntaxError} If a line is none of a unit, or holds more than this reader knows: it never leaves out what
 * would change the start.
 */
export function readServiceStart(unit: string): ServiceStart {
  const read = new DirectiveReader(readSection(unit, "Service"));
  const [program = "", ...rest] = words(read.one("ExecStart"));
  expectEqual("Type", read.one("Type"), "notify");
  expectEqual("NotifyAccess", read.one("NotifyAccess"), "main");
  const start: ServiceStart = {
    command: [program, ...rest],
    workingDirectory: read.one("WorkingDirectory"),
    user: read.one("User"),
    group: read.one("Group"),
    environment: Object.fromEntries(read.all("Environment").flatMap(words).map(assignment)),
    environmentFiles: read.all("EnvironmentFile").map((value) => ({
      path: value.replace(/^-/, ""),
      optional: value.startsWith("-"),
    })),
    unsetEnvironment: read.all("UnsetEnvironment").flatMap(words),
    credentials: read.all("LoadCredential").map((value) => {
      const [, name = "", path = ""] = /^([^:]+):(\/.+)$/.exec(value) ?? [];
      return { name, path };
    }),
    folders: Object.entries(FOLDERS).flatMap(([kind, { above, variable }]) =>
      read.all(kind).map((name) => {
        const mode = Number.parseInt(read.one(`${kind}Mode`), 8);
        return { path: `${above}/${name}`, mode, variable };
      }),
    ),
    umask: read.one("UMask"),
    openFilesMax: Number(read.one("LimitNOFILE")),
    coreBytesMax: Number(read.one("LimitCORE")),
    noNewPrivileges: read.one("NoNewPrivileges") === "yes",
    watchdogUsec: microseconds(read.one("WatchdogSec")),
  };
  const unknown = read.left().filter((name) => !NOT_OF_THE_START.test(name));
  if (unknown.length > 0) throw new SyntaxError(`Cannot read unit: what is ${unknown.join(", ")}?`);
  return start;
}

/**
 * Reads a file of variables as systemd does.
 *
 * @throws {SyntaxError} If a line is neither empty nor a comment nor an assignment.
 */
export function readEnvironmentFile(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "" && !/^[#;]/.test(line));
  return Object.fromEntries(
    said.map((line) => {
      const [name, value] = assignment(line);
      return [name, value.replace(/^(["'])(.*)\1$/, "$2")];
    }),
  );
}

/** Hands out directives, and knows which nobody asked for. */
class DirectiveReader {
  readonly #section: Section;
  readonly #asked = new Set<string>();

  constructor(section: Section) {
    this.#section = section;
  }

  all(name: string): readonly string[] {
    this.#asked.add(name);
    return this.#section.get(name) ?? [];
  }

  /** Returns the value that counts: the last. */
  one(name: string): string {
    const value = this.all(name).at(-1);
    if (value === undefined) throw new SyntaxError(`Cannot read unit: ${name}= is missing`);
    return value;
  }

  left(): string[] {
    return [...this.#section.keys()].filter((name) => !this.#asked.has(name));
  }
}

function readSection(unit: string, wanted: string): Section {
  const directives = new Map<string, string[]>();
  let section = "";
  for (const line of unit.split("\n").map((one) => one.trim())) {
    if (line === "" || /^[#;]/.test(line)) continue;
    const head = /^\[(\w+)\]$/.exec(line)?.[1];
    if (head !== undefined) section = head;
    if (head !== undefined || section !== wanted) continue;
    const [name, value] = assignment(line);
    directives.set(name, value === "" ? [] : [...(directives.get(name) ?? []), value]);
  }
  return directives;
}

function assignment(text: string): [name: string, value: string] {
  const [, name, value] = /^(\w+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined || value.endsWith("\\"))
    throw new SyntaxError(`Cannot read "${text}": expected NAME=value on one line`);
  return [name, value];
}

/** Splits a value at its blanks. Quotes, specifiers and variables would mean more, and are not used. */
function words(value: string): string[] {
  if (/["'\\%$]/.test(value)) throw new SyntaxError(`Cannot read "${value}": too much in it`);
  return value.split(/\s+/);
}

const UNITS_USEC: Readonly<Record<string, number>> = { ms: 1000, s: 1_000_000 };

function microseconds(text: string): number {
  const [, count, unit = ""] = /^(\d+)(ms|s)$/.exec(text) ?? [];
  const factor = UNITS_USEC[unit];
  if (factor === undefined) throw new SyntaxError(`Cannot read "${text}": expected a time`);
  return Number(count) * factor;
}

function expectEqual(name: string, value: string, known: string): void {
  if (value !== known) throw new SyntaxError(`Cannot start by ${name}=${value}`);
}
