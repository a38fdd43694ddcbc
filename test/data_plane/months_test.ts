import { expect, test } from "bun:test";
import { manualClock } from "../support/clock.ts";
import {
  CHAT,
  chunk,
  completion,
  type DataPlane,
  EventReader,
  lastChunks,
  withProxy,
} from "../support/data_plane.ts";

const STREAM = { ...CHAT, stream: true };

/** A minute before July begins. */
function endOfJune() {
  return manualClock(Date.UTC(2026, 5, 30, 23, 59));
}

async function usedTokens(proxy: DataPlane): Promise<unknown> {
  const { keys } = (await proxy.manage("GET", "/keys")).body;
  const { tokens_used_cycle, cycle_month } = keys[0];
  return { tokens_used_cycle, cycle_month: cycle_month.slice(0, 7) };
}

test("a stream that runs over the end of its month is charged to the month of its admission", () =>
  withProxy({ clock: endOfJune() }, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" });
        await promise;
        yield lastChunks(100, 50);
      })(),
    });
    const reader = new EventReader(await proxy.send(STREAM));
    await reader.next();
    proxy.clock.advance(120_000);
    await proxy.call();
    release();
    await reader.rest();
    const [june, july] = await proxy.calls();
    expect(june).toMatchObject({ month: 202606, input_tokens: 100, output_tokens: 50 });
    expect(july).toMatchObject({ month: 202607, input_tokens: 10, output_tokens: 22 });
    expect(await usedTokens(proxy)).toEqual({ tokens_used_cycle: 32, cycle_month: "2026-07" });
    expect(proxy.rows("select month, used_tokens from key_months order by month")).toEqual([
      { month: 202606, used_tokens: 150 },
      { month: 202607, used_tokens: 32 },
    ]);
    expect(proxy.rows<{ month: number }>("select month from org_months order by month")).toEqual([
      { month: 202606 },
      { month: 202607 },
    ]);
    const usage = await proxy.manage(
      "GET",
      "/usage?from=2026-06-01T00:00:00Z&to=2026-07-01T00:00:00Z",
    );
    expect(usage.body.rows).toMatchObject([{ calls: 1, total_tokens: 150 }]);
  }));

test("a ceiling starts anew with the month, to the millisecond", () =>
  withProxy({ clock: endOfJune() }, async (proxy) => {
    const key = await proxy.createKey({ monthly_token_limit: 32 });
    await proxy.call(CHAT, { key });
    proxy.clock.advance(59_999);
    const refused = await proxy.call(CHAT, { key });
    expect(refused.json.error).toMatchObject({ used: 32, resets_at: "2026-07-01T00:00:00.000Z" });
    proxy.clock.advance(1);
    expect((await proxy.call(CHAT, { key })).status).toBe(200);
    expect((await proxy.call(CHAT, { key })).json.error).toMatchObject({
      used: 32,
      resets_at: "2026-08-01T00:00:00.000Z",
    });
  }));

test("what a call of the last month holds does not weigh on this one", () =>
  withProxy({ clock: endOfJune() }, async (proxy) => {
    const key = await proxy.createKey({ monthly_token_limit: 100 });
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" });
        await promise;
        yield lastChunks(1_000, 500);
      })(),
    });
    const reader = new EventReader(await proxy.send(STREAM, { key }));
    await reader.next();
    expect((await proxy.call(CHAT, { key })).status).toBe(429);
    proxy.clock.advance(60_000);
    expect((await proxy.call(CHAT, { key })).status).toBe(200);
    release();
    await reader.rest();
    // June's 1,500 tokens are June's.
    expect((await proxy.call(CHAT, { key })).status).toBe(200);
  }));

test("a call that ends after its month cannot trip the circuit of this one", () =>
  withProxy({ clock: endOfJune(), costLimitCents: 1 }, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" });
        await promise;
        yield lastChunks(10_000_000, 0);
      })(),
    });
    const reader = new EventReader(await proxy.send(STREAM));
    await reader.next();
    proxy.clock.advance(60_000);
    release();
    await reader.rest();
    expect((await proxy.call()).status).toBe(200);
    expect((await proxy.manage("GET", "/settings")).body.circuit_open).toBe(false);
  }));

test("cost starts anew with the month while the circuit is closed", () =>
  withProxy({ clock: endOfJune(), costLimitCents: 2 }, async (proxy) => {
    const tokens = 66_667;
    proxy.standIn.next({ body: completion(tokens, 0) });
    await proxy.call();
    proxy.clock.advance(60_000);
    proxy.standIn.next({ body: completion(tokens, 0) });
    await proxy.call();
    expect((await proxy.call()).status).toBe(200);
    expect((await proxy.manage("GET", "/settings")).body.circuit_open).toBe(false);
  }));

test("a wall clock that is set back does not reopen the last month", () =>
  withProxy({ clock: endOfJune() }, async (proxy) => {
    const key = await proxy.createKey({ monthly_token_limit: 32 });
    proxy.clock.advance(60_000);
    await proxy.call(CHAT, { key });
    proxy.clock.setWall(-120_000);
    expect((await proxy.call(CHAT, { key })).json.error).toMatchObject({ used: 32 });
  }));

test("a wall clock that is set back does not change what the management plane shows of this month", () =>
  withProxy({ clock: endOfJune(), costLimitCents: 2 }, async (proxy) => {
    proxy.clock.advance(60_000);
    proxy.standIn.next({ body: completion(66_667, 0, "") });
    await proxy.call();
    proxy.clock.setWall(-120_000);
    expect(await usedTokens(proxy)).toEqual({ tokens_used_cycle: 66_667, cycle_month: "2026-07" });
    const lowered = await proxy.settings({ monthly_cost_limit_cents: 1 });
    expect(lowered.body.circuit_open).toBe(true);
    expect((await proxy.settings({ reset_circuit: true })).status).toBe(409);
  }));
