import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../src/store/tables.ts";
import { openTestApp } from "../support/app.ts";
import {
  CHAT,
  completion,
  type DataPlane,
  readRows,
  until,
  withProxy,
} from "../support/data_plane.ts";
import { rawAnswer, type RawUpstream, startRawUpstream } from "../support/raw_http.ts";

// P6: no request reaches a provider before its hold is on disk; after a kill, every call that reached one is in the
// ledger exactly once.

const CALLS = "select * from calls order by id";
const ANSWER = rawAnswer(200, JSON.stringify(completion(10, 5)));

/** Runs a test with a proxy whose provider is a bare socket. */
async function withUpstream(
  run: (proxy: DataPlane, upstream: RawUpstream) => Promise<void>,
): Promise<void> {
  const upstream = await startRawUpstream();
  try {
    await withProxy({ upstream: upstream.url }, (proxy) => run(proxy, upstream));
  } finally {
    await upstream.stop();
  }
}

/** Starts on what the disk held at this moment, as after a kill, and returns its calls; twice, for a second kill. */
async function callsAfterKill({ dataDir, clock }: DataPlane): Promise<Row<"calls">[]> {
  const copy = mkdtempSync(join(tmpdir(), "inference-proxy-killed-"));
  try {
    cpSync(dataDir, copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
    const found: Row<"calls">[][] = [];
    for (let start = 0; start < 2; start += 1) {
      const { app } = await openTestApp({ dataDir: copy, clock, flags: [] });
      await app.close();
      found.push(readRows<Row<"calls">>(copy, CALLS));
    }
    expect(found[1]).toEqual(found[0]);
    return found[0] ?? [];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

test("P6: when a request reaches the provider, another process finds its hold on disk", () =>
  withUpstream(async (proxy, upstream) => {
    const holds: number[] = [];
    upstream.serve = (socket) => {
      holds.push(readRows(proxy.dataDir, CALLS).length - upstream.count());
      socket.write(ANSWER);
    };
    for (const stream of [false, true])
      await Promise.all(Array.from({ length: 20 }, () => proxy.call({ ...CHAT, stream })));
    expect(holds).toHaveLength(40);
    expect(Math.min(...holds)).toBeGreaterThanOrEqual(0);
  }));

test("P6: one call alone is there too, and in its row stands that nothing is settled", () =>
  withUpstream(async (proxy, upstream) => {
    const states: string[][] = [];
    upstream.serve = (socket) => {
      states.push(readRows<Row<"calls">>(proxy.dataDir, CALLS).map(({ state }) => state));
      socket.write(ANSWER);
    };
    await proxy.call();
    expect(states).toEqual([["pending"]]);
    expect((await proxy.calls()).map(({ state }) => state)).toEqual(["posted"]);
  }));

test("P6: a call that is refused leaves no hold and reaches nobody", () =>
  withUpstream(async (proxy, upstream) => {
    const key = await proxy.createKey({ monthly_token_limit: 1 });
    upstream.serve = (socket) => void socket.write(ANSWER);
    await proxy.call(CHAT, { key });
    const before = (await proxy.calls()).length;
    expect((await proxy.call(CHAT, { key })).status).toBe(429);
    expect((await proxy.call({ ...CHAT, model: "nobody/x" })).status).toBe(400);
    expect((await proxy.calls()).length).toBe(before);
    expect(upstream.count()).toBe(1);
  }));

test("P6: killed with calls in flight, each that reached the provider is in the ledger once: settled, or estimated", () =>
  withUpstream(async (proxy, upstream) => {
    upstream.serve = (socket) => void socket.write(ANSWER);
    for (let call = 0; call < 5; call += 1) await proxy.call();
    await proxy.calls();
    const waiting: (() => void)[] = [];
    upstream.serve = (socket) => void waiting.push(() => void socket.write(ANSWER));
    const answering = Array.from({ length: 15 }, () => proxy.call());
    await until(() => upstream.count() === 20);
    const found = await callsAfterKill(proxy);
    expect(found).toHaveLength(upstream.count());
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    const settled = found.filter(({ state }) => state === "posted");
    expect(settled.map(({ estimated }) => estimated)).toEqual(Array<0>(5).fill(0));
    const open = found.filter(({ state }) => state === "expired");
    expect(open).toHaveLength(15);
    for (const row of open) {
      expect(row.estimated).toBe(1);
      expect(row.input_tokens + row.output_tokens).toBe(row.held_tokens);
      expect(row.cost_microcents).toBe(row.held_cost_microcents);
    }
    for (const answer of waiting) answer();
    await Promise.all(answering);
  }));
