import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  NotifyError,
  openServiceNotifier,
  readServiceEnvironment,
} from "../../src/std/service_notify.ts";
import { receiveDatagrams } from "../support/datagrams.ts";

test("messages arrive on an abstract socket, whole and in order", () => {
  using manager = receiveDatagrams();
  const notifier = openServiceNotifier(manager.address);
  expect(notifier.notify({ READY: 1, STATUS: "ready on 127.0.0.1:8080" })).toBe(true);
  expect(notifier.notify({ WATCHDOG: 1 })).toBe(true);
  notifier.close();
  expect(manager.received()).toEqual(["READY=1\nSTATUS=ready on 127.0.0.1:8080", "WATCHDOG=1"]);
});

test("messages arrive on a socket with a path", () => {
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-notify-"));
  try {
    using manager = receiveDatagrams(join(folder, "notify"));
    const notifier = openServiceNotifier(manager.address);
    expect(notifier.notify({ STOPPING: 1 })).toBe(true);
    notifier.close();
    expect(manager.received()).toEqual(["STOPPING=1"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a value cannot add a field", () => {
  using manager = receiveDatagrams();
  const notifier = openServiceNotifier(manager.address);
  notifier.notify({ STATUS: "odd\nMAINPID=1\r\0end" });
  notifier.close();
  expect(manager.received()).toEqual(["STATUS=odd MAINPID=1  end"]);
});

test("a manager that does not read is not waited for", () => {
  using manager = receiveDatagrams();
  const notifier = openServiceNotifier(manager.address);
  // The system keeps as many messages as its administrator chose, at most; a socket's memory ends below this.
  const sent = Array.from({ length: 5000 });
  const refused = sent.findIndex(() => !notifier.notify({ STATUS: "busy".repeat(200) }));
  expect(refused).toBeGreaterThan(0);
  expect(manager.received().length).toBe(refused);
  expect(notifier.notify({ STATUS: "again" })).toBe(true);
  notifier.close();
});

test("a manager that is gone is told from one that took the message", () => {
  const manager = receiveDatagrams();
  const notifier = openServiceNotifier(manager.address);
  manager[Symbol.dispose]();
  expect(notifier.notify({ WATCHDOG: 1 })).toBe(false);
  notifier.close();
});

test("the monotonic clock is the system's, not the process's", () => {
  using manager = receiveDatagrams();
  const notifier = openServiceNotifier(manager.address);
  const usec = notifier.monotonicUsec();
  const [uptimeSeconds = ""] = readFileSync("/proc/uptime", "utf8").split(" ");
  notifier.close();
  // Times that the machine slept through count in one of the two only.
  expect(Number(usec) / 1e6).toBeLessThanOrEqual(Number(uptimeSeconds) + 1);
  expect(Number(usec) / 1e6).toBeGreaterThan(performance.now() / 1000);
});

for (const address of ["vsock:2:1234", "relative/path", "@", "/", `/${"long".repeat(27)}`]) {
  test(`the address "${address.slice(0, 20)}" is refused`, () => {
    expect(() => openServiceNotifier(address)).toThrow(NotifyError);
  });
}

test("the longest address there can be is taken", () => {
  using manager = receiveDatagrams(`@${"n".repeat(107)}`);
  const notifier = openServiceNotifier(manager.address);
  expect(notifier.notify({ READY: 1 })).toBe(true);
  notifier.close();
});

describe("the environment", () => {
  const cases: [string, Record<string, string>, ReturnType<typeof readServiceEnvironment>][] = [
    ["empty: nobody manages", {}, { notifySocket: null, watchdogMs: null }],
    ["a blank address is none", { NOTIFY_SOCKET: "" }, { notifySocket: null, watchdogMs: null }],
    [
      "a watchdog for everybody",
      { NOTIFY_SOCKET: "@a", WATCHDOG_USEC: "30000000" },
      { notifySocket: "@a", watchdogMs: 30_000 },
    ],
    [
      "a watchdog for this process",
      { NOTIFY_SOCKET: "@a", WATCHDOG_USEC: "30000000", WATCHDOG_PID: "42" },
      { notifySocket: "@a", watchdogMs: 30_000 },
    ],
    [
      "a watchdog for another process",
      { NOTIFY_SOCKET: "@a", WATCHDOG_USEC: "30000000", WATCHDOG_PID: "43" },
      { notifySocket: "@a", watchdogMs: null },
    ],
    ["no watchdog", { WATCHDOG_USEC: "0" }, { notifySocket: null, watchdogMs: null }],
    ["no number", { WATCHDOG_USEC: "soon" }, { notifySocket: null, watchdogMs: null }],
  ];
  for (const [name, environment, expected] of cases) {
    test(name, () => expect(readServiceEnvironment(environment, 42)).toEqual(expected));
  }
});
