import { describe, expect, test } from "bun:test";
import {
  forgetService,
  startService,
  stopService,
} from "../../../src/cli/systemd/service_control.ts";
import { openMachine } from "../../support/machine.ts";

const RELOAD = "systemctl daemon-reload";
const ENABLE = "systemctl enable inference-proxy";

interface Start {
  readonly active: boolean;
  readonly changed: boolean;
  readonly start: boolean;
  /** What follows the reading of units and the enabling. */
  readonly commands: readonly string[];
  readonly says: string;
}

const STARTS: Start[] = [
  {
    active: false,
    changed: true,
    start: true,
    commands: ["systemctl start inference-proxy"],
    says: "started    inference-proxy.service",
  },
  {
    active: false,
    changed: false,
    start: true,
    commands: ["systemctl start inference-proxy"],
    says: "started    inference-proxy.service",
  },
  {
    active: true,
    changed: true,
    start: true,
    commands: ["systemctl restart inference-proxy"],
    says: "restarted  inference-proxy.service",
  },
  { active: true, changed: false, start: true, commands: [], says: "unchanged  inference-proxy" },
  { active: false, changed: true, start: false, commands: [], says: "stopped, enabled" },
  { active: true, changed: true, start: false, commands: [], says: "still the old one, enabled" },
  { active: true, changed: false, start: false, commands: [], says: "unchanged, enabled" },
];

for (const { active, changed, start, commands, says } of STARTS) {
  const what = `${active ? "running" : "stopped"}, ${changed ? "changed" : "unchanged"}`;
  test(`a service that is ${what} and ${start ? "to be started" : "left alone"}`, () => {
    using machine = openMachine();
    machine.active = active;
    startService(machine.machine, { changed, start });
    expect(machine.commands).toEqual([RELOAD, ENABLE, ...commands]);
    expect(machine.said().at(-1)).toContain(says);
    expect(machine.active).toBe(active || start);
  });
}

test("a service that does not start is reported with where its journal is", () => {
  using machine = openMachine();
  machine.failing.add("systemctl start");
  const start = () => startService(machine.machine, { changed: true, start: true });
  expect(start).toThrow('Cannot run "systemctl start inference-proxy": Job failed.');
});

test("stopping ends the service, for now and for every boot", () => {
  using machine = openMachine();
  machine.active = true;
  stopService(machine.machine);
  forgetService(machine.machine);
  expect(machine.commands).toEqual(["systemctl disable --now inference-proxy", RELOAD]);
  expect(machine.active).toBe(false);
});

describe("where systemd does not run, nothing is asked of it, and that is said", () => {
  const PLACES: [string, () => ReturnType<typeof openMachine>, string][] = [
    ["not started by systemd", () => openMachine({ booted: false }), "systemd does not run here"],
    ["staging", () => openMachine({ staging: true }), "these files are for another machine"],
    [
      "without systemctl",
      () => {
        const machine = openMachine();
        machine.missing.add("systemctl");
        return machine;
      },
      "systemd does not run here",
    ],
  ];
  for (const [name, open, why] of PLACES) {
    test(name, () => {
      using machine = open();
      startService(machine.machine, { changed: true, start: true });
      stopService(machine.machine);
      expect(machine.commands).toEqual([]);
      expect(machine.said()).toEqual([
        `left out   systemctl enable --now inference-proxy: ${why}`,
        `left out   systemctl disable --now inference-proxy: ${why}`,
      ]);
    });
  }
});
