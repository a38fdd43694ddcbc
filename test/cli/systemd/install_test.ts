import { expect, test } from "bun:test";
import { install, type InstallOptions } from "../../../src/cli/systemd/install.ts";
import { SystemdError } from "../../../src/cli/systemd/machine.ts";
import { MasterKeyFileError, readMasterKeyFile } from "../../../src/store/master_key_file.ts";
import { openMachine, type TestMachine } from "../../support/machine.ts";

const BINARY = "/usr/local/bin/inference-proxy";
const UNIT = "/etc/systemd/system/inference-proxy.service";
const KEY = "/etc/inference-proxy/master.key";
const SETTINGS = "/etc/default/inference-proxy";

/** Puts a program onto the machine that asks to be installed. */
function download(machine: TestMachine, text = "program 1"): string {
  machine.write("/downloads/inference-proxy", text, 0o755);
  return machine.path("/downloads/inference-proxy");
}

function installOn(machine: TestMachine, options: Partial<InstallOptions> = {}): Promise<void> {
  return install(machine.machine, {
    binary: machine.path("/downloads/inference-proxy"),
    start: true,
    listen: null,
    ...options,
  });
}

async function refusal(installing: Promise<void>): Promise<SystemdError> {
  const error = await installing.catch((caught: unknown) => caught);
  if (error instanceof SystemdError) return error;
  throw new Error(`Expected a SystemdError, not ${String(error)}`);
}

test("a first install makes everything, each with its mode, and starts the service", async () => {
  using machine = openMachine();
  download(machine);
  await installOn(machine);
  const modes = Object.entries(machine.files()).map(([path, text]) => [path, text.split(" ")[0]]);
  expect(Object.fromEntries(modes)).toMatchObject({
    [BINARY]: "755",
    [UNIT]: "644",
    [KEY]: "600",
    [SETTINGS]: "640",
    "/etc/inference-proxy": "750",
    "/etc/sysusers.d/inference-proxy.conf": "644",
  });
  expect(readMasterKeyFile(machine.path(KEY))?.length).toBe(32);
  expect(machine.read(BINARY)).toBe("program 1");
  expect(machine.read(UNIT)).toContain(`ExecStart=${BINARY} serve`);
  expect(machine.active).toBe(true);
  expect(machine.said().filter((line) => line.startsWith("created"))).toHaveLength(7);
  const password = "/var/lib/inference-proxy/initial-admin-password";
  expect(machine.said().join("\n")).toContain(password);
  machine.write("/var/lib/inference-proxy/inference-proxy.db", "database");
  const said = machine.said().length;
  await installOn(machine);
  expect(machine.said().slice(said).join("\n")).not.toContain(password);
});

test("a second install changes nothing, restarts nothing, and says so", async () => {
  using machine = openMachine();
  download(machine);
  await installOn(machine);
  const before = machine.files();
  const said = machine.said().length;
  machine.commands.length = 0;
  await installOn(machine);
  expect(machine.files()).toEqual(before);
  expect(machine.commands).toEqual(["systemctl daemon-reload", "systemctl enable inference-proxy"]);
  const again = machine.said().slice(said);
  const done = again.slice(0, again.indexOf(""));
  expect(done).toHaveLength(8);
  expect(done.filter((line) => !line.startsWith("unchanged"))).toEqual([]);
});

test("an upgrade replaces program and unit, keeps key and settings, and restarts what ran", async () => {
  using machine = openMachine();
  download(machine);
  await installOn(machine);
  machine.write(SETTINGS, "INFERENCE_PROXY_LOG_LEVEL=debug\n", 0o640);
  machine.write(UNIT, "[Service]\nExecStart=/old\n");
  const key = machine.read(KEY);
  download(machine, "program 2");
  await installOn(machine);
  expect(machine.read(BINARY)).toBe("program 2");
  expect(machine.read(UNIT)).toContain(`ExecStart=${BINARY} serve`);
  expect(machine.read(SETTINGS)).toBe("INFERENCE_PROXY_LOG_LEVEL=debug\n");
  expect(machine.read(KEY)).toBe(key);
  expect(machine.commands.at(-1)).toBe("systemctl restart inference-proxy");
});

test("an installed program installs itself again from where it is", async () => {
  using machine = openMachine();
  download(machine);
  await installOn(machine);
  const before = machine.files();
  await installOn(machine, { binary: machine.path(BINARY) });
  expect(machine.files()).toEqual(before);
});

test("staging puts the same files down, twice, as any user, and runs nothing", async () => {
  using machine = openMachine({ staging: true, userId: 1000 });
  download(machine);
  await installOn(machine);
  const before = machine.files();
  expect(Object.keys(before)).toEqual(expect.arrayContaining([BINARY, UNIT, KEY, SETTINGS]));
  await installOn(machine);
  expect(machine.files()).toEqual(before);
  expect(machine.commands).toEqual([]);
  const notes = machine.said().filter((line) => line.startsWith("note"));
  expect(notes).toEqual(["note       machines made from these files share that master key"]);
  expect(machine.said()).toContain("  systemctl enable --now inference-proxy");
});

test("where to listen is written at the first install, and not taken back by the next", async () => {
  using machine = openMachine();
  download(machine);
  await installOn(machine, { listen: "10.0.0.5:8081" });
  expect(machine.read(SETTINGS)).toContain("\nINFERENCE_PROXY_LISTEN=10.0.0.5:8081\n");
  expect(machine.said()).toContain("  curl http://10.0.0.5:8081/readyz");
  const before = machine.files();
  await installOn(machine);
  await installOn(machine, { listen: "10.0.0.5:8081" });
  expect(machine.files()).toEqual(before);
});

test("settings that are there are not overwritten by a wish to listen elsewhere", async () => {
  using machine = openMachine();
  download(machine);
  machine.write(SETTINGS, "INFERENCE_PROXY_LISTEN=10.0.0.5:8081\n");
  const before = machine.files();
  const { exitCode, fix } = await refusal(installOn(machine, { listen: "10.0.0.6:8081" }));
  expect(exitCode).toBe(64);
  expect(fix).toContain("INFERENCE_PROXY_LISTEN=10.0.0.6:8081");
  expect(machine.files()).toEqual(before);
});

test("no new master key is made for a database that another one seals", async () => {
  using machine = openMachine();
  download(machine);
  machine.write("/var/lib/inference-proxy/inference-proxy.db", "database");
  const before = machine.files();
  const lost = await refusal(installOn(machine));
  expect(lost.exitCode).toBe(78);
  expect(lost.fix).toContain("-m 600 FILE /etc/inference-proxy/master.key");
  machine.write("/var/lib/inference-proxy/master.key", "key");
  const { fix } = await refusal(installOn(machine));
  expect(fix).toContain("/var/lib/inference-proxy/master.key /etc/inference-proxy/master.key");
  expect(machine.files()).toMatchObject(before);
  expect(machine.commands).toEqual([]);
});

test("a master key that others may read is refused before anything is done", async () => {
  using machine = openMachine();
  download(machine);
  machine.write(KEY, crypto.getRandomValues(new Uint8Array(32)).toHex(), 0o644);
  const before = machine.files();
  const error = await installOn(machine).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(MasterKeyFileError);
  expect(machine.files()).toEqual(before);
});

test("whoever is not root is refused before anything is done", async () => {
  using machine = openMachine({ userId: 1000 });
  download(machine);
  const before = machine.files();
  expect((await refusal(installOn(machine))).exitCode).toBe(77);
  expect(machine.files()).toEqual(before);
});

test("a program that is not there is refused", async () => {
  using machine = openMachine();
  expect((await refusal(installOn(machine))).fix).toContain("--binary PATH");
});

test("a resolver among the denied addresses is allowed, and that is said", async () => {
  using machine = openMachine();
  download(machine);
  machine.write("/etc/resolv.conf", "nameserver 169.254.169.254\n");
  await installOn(machine);
  expect(machine.read(UNIT)).toContain("IPAddressAllow=169.254.169.253 169.254.169.254\n");
  expect(machine.said().find((line) => line.startsWith("note"))).toContain("169.254.169.254");
});
