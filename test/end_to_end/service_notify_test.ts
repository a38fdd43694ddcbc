import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { openFolder, startBinary } from "../support/binary.ts";
import { receiveDatagrams } from "../support/datagrams.ts";
import { eventually } from "../support/eventually.ts";
import { openProxy } from "../support/proxy.ts";

setDefaultTimeout(30_000);

/** A watchdog that wants a sign of life every half of this, in microseconds. */
const WATCHDOG_USEC = "200000";

test("a service manager is told of start, life, reload, drain and stop, in this order", async () => {
  using manager = receiveDatagrams();
  await using proxy = await openProxy([], {
    environment: { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC },
  });
  await proxy.configure();
  await manager.receivedText("WATCHDOG=1");
  process.kill(proxy.binary.pid, "SIGHUP");
  await manager.receivedText("RELOADING=1");

  const { secret } = await proxy.createKey();
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: secret, maxRetries: 0 });
  const release = Promise.withResolvers<void>();
  proxy.standIn.next({ until: release.promise });
  const answer = client.chat.completions.create({
    model: "openai/gpt-4o-mini",
    messages: [{ role: "user", content: "Say hello" }],
  });
  await eventually(() => proxy.standIn.count === 1);
  proxy.binary.terminate();
  // Life goes on while calls end, or the manager would cut them short.
  await manager.receivedText("WATCHDOG=1\nSTATUS=draining: 1 call in flight");
  release.resolve();
  expect((await answer).object).toBe("chat.completion");
  expect((await proxy.binary.ended).exitCode).toBe(0);

  const { host } = new URL(proxy.binary.url);
  const told = manager.received();
  expect(told[0]).toBe("STATUS=starting");
  expect(told[1]).toBe(`READY=1\nSTATUS=ready on ${host}, 0 provider configs, 0 keys`);
  const kinds = told.map((one) => /^[A-Z]+/.exec(one)?.[0] ?? "");
  const order = kinds.filter((kind) => kind !== "WATCHDOG" && kind !== "STATUS");
  expect(order).toEqual(["READY", "RELOADING", "READY", "STOPPING"]);
});

test("the service is the process that was started, though it becomes its own program again", async () => {
  using manager = receiveDatagrams();
  using folder = openFolder();
  const environment = { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC };
  await using binary = await startBinary(["--data-dir", join(folder.path, "data")], {
    environment,
  });
  const became = readFileSync(`/proc/${binary.pid}/environ`, "utf8");
  expect(became).toContain("BUN_CONFIG_MAX_HTTP_REQUESTS=");
  await manager.receivedText("WATCHDOG=1");
  expect(manager.senders()).toEqual([binary.pid]);
});
