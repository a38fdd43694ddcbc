import { afterEach, beforeEach, expect, test } from "bun:test";
import { openService, Service, type ServedApp } from "../../../src/cli/systemd/service.ts";
import { createLog } from "../../../src/std/log.ts";
import { openServiceNotifier } from "../../../src/std/service_notify.ts";
import { type DatagramReceiver, receiveDatagrams } from "../../support/datagrams.ts";

let manager: DatagramReceiver;
let service: Service;
let logged: string[];

/** An app that serves two calls, whose ledger can be held up or refused by the disk. */
let app: ServedApp & { callsInFlight: number; ledgerTurn: () => Promise<boolean> };

const log = createLog({
  level: "debug",
  human: false,
  nowMs: () => 0,
  write: (line) => logged.push(line),
});

/** Longer than any test: what beats, beats because a test says so. */
const WATCHDOG_MS = 3_600_000;

function open(watchdogMs: number | null = WATCHDOG_MS): Service {
  const notifier = openServiceNotifier(manager.address);
  return new Service({ notifier, watchdogMs, drainTimeoutMs: 90_000, log });
}

beforeEach(() => {
  manager = receiveDatagrams();
  logged = [];
  service = open();
  app = {
    callsInFlight: 2,
    ledgerTurn: () => Promise.resolve(true),
    status: () => Promise.resolve(STATUS),
  };
});

afterEach(() => {
  service.close();
  manager[Symbol.dispose]();
});

const STATUS: Awaited<ReturnType<ServedApp["status"]>> = {
  version: "1.0.0",
  pid: 1,
  started_at: "2026-06-15T12:00:00Z",
  listen: "127.0.0.1:8080",
  data_dir: "/var/lib/inference-proxy",
  schema: "0009_last",
  master_key_id: "0000",
  draining: false,
  calls_in_flight: 2,
  organizations: 1,
  provider_configs: 1,
  inference_keys: 12,
  circuits_open: 0,
  database_bytes: 4096,
};

const READY = "READY=1\nSTATUS=ready on 127.0.0.1:8080, 1 provider config, 12 keys";
const ALIVE = "WATCHDOG=1\nSTATUS=ready on 127.0.0.1:8080, 2 calls in flight";

test("a start says that it is under way, and nothing of being ready", () => {
  expect(manager.received()).toEqual(["STATUS=starting"]);
});

test("readiness says where and how much is configured, and life goes on from there", async () => {
  await service.ready(app);
  await service.beat();
  expect(manager.received().slice(1)).toEqual([READY, ALIVE]);
});

test("without a watchdog only the status is told", async () => {
  service.close();
  service = open(null);
  await service.ready(app);
  await service.beat();
  expect(manager.received().at(-1)).toBe("STATUS=ready on 127.0.0.1:8080, 2 calls in flight");
});

test("no sign of life is given before readiness", async () => {
  await service.beat();
  expect(manager.received()).toEqual(["STATUS=starting"]);
});

test("no sign of life is given while the ledger is held up, and one as soon as it is free", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  app.ledgerTurn = () => promise;
  await service.ready(app);
  const beat = service.beat();
  await service.beat();
  await service.beat();
  expect(manager.received().slice(2)).toEqual(["STATUS=the ledger is held up"]);
  expect(logged.filter((line) => line.includes("held up"))).toHaveLength(1);
  resolve(true);
  await beat;
  await service.beat();
  expect(manager.received().slice(3)).toEqual([ALIVE, ALIVE]);
});

test("a disk that refuses is told, and is no reason to be killed", async () => {
  app.ledgerTurn = () => Promise.resolve(false);
  await service.ready(app);
  await service.beat();
  expect(manager.received().at(-1)).toBe(
    "WATCHDOG=1\nSTATUS=cannot write the ledger: calls are refused",
  );
});

test("a reload is over as soon as it begins, on the system's clock", async () => {
  await service.ready(app);
  service.reloaded();
  const [reloading, ready] = manager.received().slice(2);
  expect(reloading).toMatch(/^RELOADING=1\nMONOTONIC_USEC=[1-9]\d+\nSTATUS=ready on /);
  expect(ready).toBe(READY);
});

test("a reload before readiness does not make the service ready", () => {
  service.reloaded();
  expect(manager.received()).toEqual(["STATUS=starting"]);
});

test("a stop tells how long it may take and how many calls are left, while life goes on", async () => {
  await service.ready(app);
  service.stopping();
  service.drainBeat();
  app.callsInFlight = 1;
  service.drainBeat();
  await service.beat();
  service.reloaded();
  expect(manager.received().slice(2)).toEqual([
    "STOPPING=1\nEXTEND_TIMEOUT_USEC=120000000\nSTATUS=draining: 2 calls in flight",
    "STATUS=draining: 1 call in flight",
    "WATCHDOG=1\nSTATUS=draining: 1 call in flight",
  ]);
});

test("nothing is told after the end, not even by a beat that began before", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  app.ledgerTurn = () => promise;
  await service.ready(app);
  const beat = service.beat();
  service.close();
  resolve(true);
  await beat;
  expect(manager.received()).toEqual(["STATUS=starting", READY]);
});

test("a manager that is gone is logged, and the proxy goes on", async () => {
  manager[Symbol.dispose]();
  await service.ready(app);
  expect(logged.join("")).toContain("the service manager took no message");
});

test("a process that nobody manages has nobody to tell", () => {
  const options = { drainTimeoutMs: 1, log };
  expect(openService({ notifySocket: null, watchdogMs: null }, options)).toBeNull();
  expect(logged).toEqual([]);
});

test("a manager that cannot be told is logged", () => {
  const options = { drainTimeoutMs: 1, log };
  expect(openService({ notifySocket: "vsock:2:1", watchdogMs: null }, options)).toBeNull();
  expect(logged.join("")).toContain("the service manager is not told");
});
