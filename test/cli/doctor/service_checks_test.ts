import { expect, test } from "bun:test";
import { checkService } from "../../../src/cli/doctor/service_checks.ts";
import { PLACES } from "../../../src/cli/systemd/places.ts";
import { unitText } from "../../../src/cli/systemd/unit.ts";
import { openMachine } from "../../support/machine.ts";

const { binary, dataDir } = PLACES;
const states = (checks: ReturnType<typeof checkService>) =>
  checks.map(({ name, state }) => `${name}: ${state}`);

test("without a unit there is nothing to say", () => {
  using opened = openMachine();
  expect(checkService(opened.machine)).toEqual([]);
});

test("the unit that this version installs is up to date, wherever its parts are", () => {
  for (const options of [
    { binary, dataDir },
    { binary: "/opt/p/inference-proxy", dataDir: "/srv/proxy" },
  ]) {
    using opened = openMachine();
    opened.write(PLACES.unit, unitText(options));
    expect(states(checkService(opened.machine))).toEqual(["systemd: ok", "start at boot: ok"]);
    expect(opened.commands).toEqual(["systemctl is-enabled --quiet inference-proxy"]);
  }
});

test("the resolvers of the machine belong into it", () => {
  using opened = openMachine();
  opened.write("/etc/resolv.conf", "nameserver 169.254.169.254\n");
  const allowedResolvers = ["169.254.169.254"];
  opened.write(PLACES.unit, unitText({ binary, dataDir, allowedResolvers }));
  expect(states(checkService(opened.machine))).toContain("systemd: ok");
  opened.write(PLACES.unit, unitText({ binary, dataDir }));
  expect(states(checkService(opened.machine))).toContain("systemd: warn");
});

test("a unit that was changed, or is not started at boot, is warned of", () => {
  using opened = openMachine();
  opened.failing.add("systemctl is-enabled");
  opened.write(PLACES.unit, `${unitText({ binary, dataDir })}MemoryDenyWriteExecute=yes\n`);
  expect(states(checkService(opened.machine))).toEqual(["systemd: warn", "start at boot: warn"]);
});

test("where systemd does not run, only the file counts", () => {
  using opened = openMachine({ booted: false });
  opened.write(PLACES.unit, unitText({ binary, dataDir }));
  expect(states(checkService(opened.machine))).toEqual(["systemd: ok"]);
});
