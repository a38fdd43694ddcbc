import { afterAll, expect, test } from "bun:test";
import { parseConfig } from "../src/config.ts";
import { readSurroundings } from "../src/process_facts.ts";
import { DataPlane, until } from "./support/data_plane.ts";

const proxy = await DataPlane.open({ flags: ["--concurrency", "77"] });
afterAll(() => proxy.close());

async function facts(): Promise<Record<string, unknown>> {
  const response = await proxy.app.operate(new Request("http://localhost/operator/checks"));
  return (await response.json()) as Record<string, unknown>;
}

test("a process that is well says so", async () => {
  const told = await facts();
  expect(told).toMatchObject({
    draining: false,
    jit_active: true,
    concurrency: 77,
    ledger_writable: true,
    holds_pending: 0,
    oldest_hold_s: null,
    clock_behind_s: 0,
    memory_limit_bytes: expect.any(Number),
  });
  expect(told["open_files"]).toBeGreaterThan(5);
  expect(told["memory_bytes"]).toBeGreaterThan(1_000_000);
  expect(told["settings"]).toContainEqual({ name: "--concurrency", value: "77", source: "flag" });
});

test("calls that are not settled are counted, with the age of the oldest", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.standIn.next({ until: promise });
  const before = proxy.standIn.count;
  const call = proxy.call();
  await until(() => proxy.standIn.count > before);
  proxy.pass(12_500);
  expect(await facts()).toMatchObject({ holds_pending: 1, oldest_hold_s: 12 });
  resolve();
  await call;
  await proxy.calls();
  expect(await facts()).toMatchObject({ holds_pending: 0, oldest_hold_s: null });
});

test("a clock that was set back is behind what is written down", async () => {
  proxy.clock.setWall(-3_600_000);
  expect(Number((await facts())["clock_behind_s"])).toBeGreaterThanOrEqual(3580);
});

test("a process that is about to stop says so", async () => {
  await proxy.app.drain();
  expect(await facts()).toMatchObject({ draining: true });
});

test("of what the environment names it says whether it can be read", () => {
  const environment = {
    http_proxy: "http://192.0.2.1:3128",
    NODE_EXTRA_CA_CERTS: import.meta.path,
    SSL_CERT_FILE: "/nowhere.pem",
  };
  expect(readSurroundings(parseConfig([], environment).surroundings)).toEqual({
    proxies: ["http_proxy"],
    authorities: [
      { name: "NODE_EXTRA_CA_CERTS", path: import.meta.path, readable: true },
      { name: "SSL_CERT_FILE", path: "/nowhere.pem", readable: false },
    ],
  });
});
