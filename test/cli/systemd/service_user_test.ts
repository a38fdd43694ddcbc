import { expect, test } from "bun:test";
import { putUser } from "../../../src/cli/systemd/service_user.ts";
import { openMachine } from "../../support/machine.ts";

const SYSUSERS = "/etc/sysusers.d/inference-proxy.conf";

test("systemd makes the user from its description", () => {
  using machine = openMachine();
  putUser(machine.machine);
  expect(machine.commands).toEqual([`systemd-sysusers ${SYSUSERS}`]);
  expect(machine.read(SYSUSERS)).toContain('u inference-proxy - "Inference Proxy"');
});

for (const trouble of ["missing", "failing"] as const) {
  test(`useradd makes the user where systemd-sysusers is ${trouble}`, () => {
    using machine = openMachine();
    machine[trouble].add("systemd-sysusers");
    putUser(machine.machine);
    expect(machine.commands.at(-1)).toBe(
      "useradd --system --user-group --home-dir /var/lib/inference-proxy --no-create-home " +
        "--shell /usr/sbin/nologin inference-proxy",
    );
  });
}

test("a user that exists is left alone", () => {
  using machine = openMachine();
  machine.write("/etc/passwd", "x-inference-proxy:x:1:1::/:\ninference-proxy:x:2:2::/:\n");
  putUser(machine.machine);
  expect(machine.commands).toEqual([]);
});

test("a user of a similar name is not the service's", () => {
  using machine = openMachine();
  machine.write("/etc/passwd", "my-inference-proxy:x:1:1::/:\n");
  putUser(machine.machine);
  expect(machine.commands).toHaveLength(1);
});

test("a machine that makes no user is reported", () => {
  using machine = openMachine();
  machine.missing.add("systemd-sysusers");
  machine.missing.add("useradd");
  expect(() => putUser(machine.machine)).toThrow('Cannot run "useradd');
});

test("in a staging folder only the description is put down", () => {
  using machine = openMachine({ staging: true });
  putUser(machine.machine);
  expect(Object.keys(machine.files()).at(-1)).toBe(SYSUSERS);
});
