import { expect, test } from "bun:test";
import { install } from "../../../src/cli/systemd/install.ts";
import { SystemdError } from "../../../src/cli/systemd/machine.ts";
import { PLACES } from "../../../src/cli/systemd/places.ts";
import { uninstall } from "../../../src/cli/systemd/uninstall.ts";
import { openMachine, type TestMachine } from "../../support/machine.ts";

const GONE = ["/usr/local/bin/inference-proxy", "/etc/systemd/system/inference-proxy.service"];
const KEPT = [
  "/etc/inference-proxy/master.key",
  "/etc/default/inference-proxy",
  "/var/lib/inference-proxy/inference-proxy.db",
];

async function installed(machine: TestMachine): Promise<void> {
  machine.write("/downloads/inference-proxy", "program");
  await install(machine.machine, {
    binary: machine.path("/downloads/inference-proxy"),
    start: true,
    listen: null,
  });
  machine.write("/var/lib/inference-proxy/inference-proxy.db", "database");
  machine.commands.length = 0;
}

for (const staging of [false, true]) {
  test(`${staging ? "staged files" : "the service"}: program and unit go, data and keys stay`, async () => {
    using machine = openMachine({ staging });
    await installed(machine);
    const before = machine.files();
    uninstall(machine.machine);
    const after = machine.files();
    expect(
      Object.keys(before)
        .filter((path) => !(path in after))
        .toSorted(),
    ).toEqual(GONE.toSorted());
    expect(Object.keys(after)).toEqual(expect.arrayContaining(KEPT));
    const said = machine.said().join("\n");
    for (const path of ["/var/lib/inference-proxy", "/etc/inference-proxy"])
      expect(said).toContain(path);
  });
}

test("the service is stopped before its unit goes, and systemd forgets it", async () => {
  using machine = openMachine();
  await installed(machine);
  uninstall(machine.machine);
  expect(machine.commands).toEqual([
    "systemctl disable --now inference-proxy",
    "systemctl daemon-reload",
  ]);
  expect(machine.active).toBe(false);
});

test("a service that does not stop keeps its unit and program", async () => {
  using machine = openMachine();
  await installed(machine);
  machine.failing.add("systemctl disable");
  const before = machine.files();
  expect(() => uninstall(machine.machine)).toThrow(SystemdError);
  expect(machine.files()).toEqual(before);
});

test("a second time there is nothing to remove, and nothing is asked of systemd", async () => {
  using machine = openMachine();
  await installed(machine);
  uninstall(machine.machine);
  machine.commands.length = 0;
  uninstall(machine.machine);
  expect(machine.commands).toEqual([]);
  expect(machine.said().filter((line) => line.startsWith("not there"))).toHaveLength(2);
});

test("what stays is found by the next install", async () => {
  using machine = openMachine();
  await installed(machine);
  const key = machine.read("/etc/inference-proxy/master.key");
  uninstall(machine.machine);
  await installed(machine);
  expect(machine.read("/etc/inference-proxy/master.key")).toBe(key);
});

test("whoever is not root is refused", async () => {
  using machine = openMachine({ userId: 1000 });
  expect(() => uninstall(machine.machine)).toThrow("only root");
});

test("changes to the unit that an administrator made stay, and are named if there are any", async () => {
  using machine = openMachine();
  await installed(machine);
  uninstall(machine.machine);
  expect(machine.said().join("\n")).not.toContain(PLACES.dropIns);
  await installed(machine);
  machine.write(`${PLACES.dropIns}/override.conf`, "[Service]\n");
  uninstall(machine.machine);
  expect(machine.read(`${PLACES.dropIns}/override.conf`)).toBe("[Service]\n");
  const command = machine.said().findLast((line) => line.includes("rm -r "));
  expect(command?.split(" ")).toContain(PLACES.dropIns);
});
