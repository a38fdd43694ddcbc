import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTestApp } from "../support/app.ts";
import {
  type AnyJson,
  CHAT,
  chunk,
  type DataPlane,
  EventReader,
  readRows,
  until,
  withProxy,
} from "../support/data_plane.ts";
import type { Row } from "../../src/store/tables.ts";

/** What is found when a process starts on what the disk held at this moment, as after a kill. */
async function afterCrash(proxy: DataPlane, look: (found: Found) => Promise<void>) {
  const dataDir = mkdtempSync(join(tmpdir(), "inference-proxy-crash-"));
  // Sockets cannot be copied.
  const filter = (path: string) => !path.endsWith(".sock");
  cpSync(proxy.dataDir, dataDir, { recursive: true, filter });
  const open = () => openTestApp({ dataDir, clock: proxy.clock, flags: [] });
  let app = await open();
  // A report ends just before now, and the clock stands still.
  proxy.clock.advance(1);
  try {
    const below = `/organizations/${proxy.organizationId}/inference`;
    await look({
      calls: () => readRows<Row<"calls">>(dataDir, "select * from calls order by rowid"),
      manage: async (path) => ((await app.manage("GET", below + path)) as AnyJson).body,
      restart: async () => {
        await app.app.close();
        app = await open();
      },
      logged: () => app.logged.join(""),
    });
  } finally {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Found {
  calls(): Row<"calls">[];
  manage(path: string): Promise<AnyJson>;
  restart(): Promise<void>;
  logged(): string;
}

const SMALL = { ...CHAT, max_tokens: 100 };

test("a hold is on disk before the provider hears of the call, and a crash then posts it as an estimate, once", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({ until: promise });
    const answering = proxy.call(SMALL);
    await until(() => proxy.standIn.count === 1);
    await afterCrash(proxy, async ({ calls, manage, restart, logged }) => {
      const [row] = calls();
      expect(row).toMatchObject({
        state: "expired",
        ending: null,
        estimated: 1,
        output_tokens: 100,
      });
      expect(row?.input_tokens).toBe((row?.held_tokens ?? 0) - 100);
      expect(row?.cost_microcents).toBe(row?.held_cost_microcents ?? 0);
      expect(row?.cost_microcents).toBeGreaterThan(0);
      expect(logged()).toContain("posted calls that the last stop left open");
      const total = row?.held_tokens;
      for (let start = 0; start < 2; start += 1) {
        expect((await manage("/usage")).rows).toMatchObject([{ calls: 1, total_tokens: total }]);
        expect((await manage("/keys")).keys[0].tokens_used_cycle).toBe(total);
        await restart();
      }
      expect(calls()).toHaveLength(1);
      expect(logged()).toBe("");
    });
    release();
    expect((await answering).status).toBe(200);
  }));

test("a stream that had run for a while is posted at its last checkpoint", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "x".repeat(175) });
        await promise;
      })(),
    });
    const client = new AbortController();
    const sending = proxy.send({ ...SMALL, stream: true }, { signal: client.signal });
    const reader = new EventReader(await sending);
    await reader.next();
    proxy.pass(5_000);
    await proxy.manage("GET", "/usage");
    await afterCrash(proxy, async ({ calls, manage }) => {
      const [row] = calls();
      // 175 characters, not the 100 tokens that were held.
      expect(row).toMatchObject({ state: "expired", estimated: 1, output_tokens: 50 });
      const input = (row?.held_tokens ?? 0) - 100;
      expect(row?.input_tokens).toBe(input);
      expect((await manage("/usage")).rows).toMatchObject([{ total_tokens: input + 50 }]);
    });
    client.abort();
    release();
    await proxy.idle();
  }));

test("a crash in the middle of many calls leaves each of them in the ledger once", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    for (let call = 0; call < 20; call += 1) await proxy.call(SMALL);
    for (let call = 0; call < 20; call += 1) proxy.standIn.next({ until: promise });
    const answering = Array.from({ length: 20 }, () => proxy.call(SMALL));
    await until(() => proxy.standIn.count === 40);
    await proxy.manage("GET", "/usage");
    await afterCrash(proxy, async ({ calls, manage }) => {
      const rows = calls();
      expect(rows).toHaveLength(40);
      expect(rows.filter(({ state }) => state === "posted")).toHaveLength(20);
      expect(rows.filter(({ state }) => state === "expired")).toHaveLength(20);
      const tokens = rows.reduce((sum, row) => sum + row.input_tokens + row.output_tokens, 0);
      const cost = rows.reduce((sum, row) => sum + row.cost_microcents, 0);
      expect((await manage("/usage")).rows).toMatchObject([
        { calls: 40, total_tokens: tokens, cost_microcents: cost },
      ]);
    });
    release();
    await Promise.all(answering);
    expect((await proxy.calls()).every(({ state }) => state === "posted")).toBe(true);
  }));
