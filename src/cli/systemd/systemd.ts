import { resolve } from "node:path";
import { type CommandLine, FlagError } from "../../std/flags.ts";
import { formatHostPort, parseHostPort } from "../../std/host_port.ts";
import { type Command, switchFlag, valueFlag } from "../command.ts";
import { EXIT } from "../exit_codes.ts";
import { install } from "./install.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { PLACES } from "./places.ts";
import { uninstall } from "./uninstall.ts";
import { unitText } from "./unit.ts";

const BINARY = valueFlag("--binary", "PATH", "The program to run", "this one");
const DATA_DIR = valueFlag("--data-dir", "DIR", "Where the database lives", PLACES.dataDir);
const LISTEN = valueFlag("--listen", "HOST:PORT", "Where to listen, said at the first install");
const NO_START = switchFlag("--no-start", "Leave the service stopped, or running as it is");
const ROOT = valueFlag("--root", "DIR", "A folder that stands for another machine's /");

/** Shows what systemd is told about the service. */
export const systemdPrint: Command = {
  name: "systemd print",
  group: "Run",
  summary: "Print the unit that runs the proxy under systemd",
  arguments: [],
  flags: [BINARY, DATA_DIR],
  examples: [
    "systemd print",
    "systemd print --binary /usr/local/bin/inference-proxy --data-dir /srv/inference-proxy",
  ],
  run: async (line) => {
    const binary = unitPath(BINARY.name, textOf(line, BINARY.name) ?? runningBinary());
    const dataDir = unitPath(DATA_DIR.name, textOf(line, DATA_DIR.name) ?? PLACES.dataDir);
    process.stdout.write(unitText({ binary, dataDir }));
    if (HIDDEN.test(binary))
      console.error(`note: the unit hides ${binary} from the service: copy the program elsewhere`);
    return EXIT.ok;
  },
};

/** Makes the proxy a service of this machine. */
export const systemdInstall: Command = {
  name: "systemd install",
  group: "Run",
  summary: "Install the proxy as a service of systemd, or bring it up to date",
  arguments: [],
  flags: [BINARY, LISTEN, NO_START, ROOT],
  notes: ["What is there already stays: data, keys, settings. Run again, it changes nothing."],
  examples: [
    "systemd install",
    "systemd install --listen 10.0.0.5:8080",
    "systemd install --no-start --root ./image --binary ./inference-proxy",
  ],
  run: async (line) => {
    const listen = textOf(line, LISTEN.name);
    await install(machineOf(line), {
      binary: resolve(textOf(line, BINARY.name) ?? runningBinary()),
      start: !line.flags.has(NO_START.name),
      listen: listen === undefined ? null : unprivileged(listen),
    });
    return EXIT.ok;
  },
};

/** Takes the service from this machine. */
export const systemdUninstall: Command = {
  name: "systemd uninstall",
  group: "Run",
  summary: "Stop the service and remove it; data, keys and settings stay",
  arguments: [],
  flags: [ROOT],
  examples: ["systemd uninstall"],
  run: async (line) => {
    uninstall(machineOf(line));
    return EXIT.ok;
  },
};

/** Where the unit's sandbox lets the service see nothing. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

/** Below it, a port needs a capability that the unit does not give. */
const FREE_PORT_MIN = 1024;

function textOf({ flags }: CommandLine, name: string): string | undefined {
  return flags.get(name)?.[0];
}

function machineOf(line: CommandLine): Machine {
  return thisMachine(resolve(textOf(line, ROOT.name) ?? "/"), (said) => console.log(said));
}

/** Returns this program, or where it would be installed if it runs from source. */
function runningBinary(): string {
  return Bun.isStandaloneExecutable ? process.execPath : PLACES.binary;
}

/** @throws {FlagError} If the unit could not say the path without saying more. */
function unitPath(flag: string, path: string): string {
  if (/^(\/(?!\.+(\/|$))[\w.+@-]+)+$/.test(path)) return path;
  throw new FlagError(
    `Cannot write "${path}" into the unit: expected an absolute path of plain characters`,
    `write ${flag} /absolute/path, of letters, digits and . _ + @ -`,
  );
}

/** @throws {FlagError} If the service may not listen there. */
function unprivileged(text: string): string {
  const address = parseListen(text);
  if (address.port === 0 || address.port >= FREE_PORT_MIN) return formatHostPort(address);
  throw new FlagError(
    `Cannot listen on port ${address.port}: the service has no capability for ports below 1024`,
    "listen on a higher port, behind a reverse proxy that also speaks TLS",
  );
}

function parseListen(text: string) {
  try {
    return parseHostPort(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FlagError(error.message, `write ${LISTEN.name} ${LISTEN.value}`);
  }
}
