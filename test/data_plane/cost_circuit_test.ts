import { expect, test } from "bun:test";
import {
  type Answer,
  CHAT,
  chunk,
  completion,
  type DataPlane,
  EventReader,
  lastChunks,
  until,
  withProxy,
} from "../support/data_plane.ts";

// gpt-4o-mini costs $0.15 per million input tokens: a cent are 66,667 of them.
const ONE_CENT_TOKENS = 66_667;

/** Makes a call for which the provider reports that many input tokens. */
async function spend(proxy: DataPlane, tokens: number): Promise<Answer> {
  proxy.standIn.next({ body: completion(tokens, 0, "") });
  return proxy.call();
}

async function settings(proxy: DataPlane) {
  return (await proxy.manage("GET", "/settings")).body;
}

test("the circuit trips when the month's cost reaches the limit, and calls are refused from then on", () =>
  withProxy({ costLimitCents: 2 }, async (proxy) => {
    expect((await spend(proxy, ONE_CENT_TOKENS)).status).toBe(200);
    expect((await settings(proxy)).circuit_open).toBe(false);
    expect((await spend(proxy, ONE_CENT_TOKENS)).status).toBe(200);
    expect(await settings(proxy)).toMatchObject({
      circuit_open: true,
      circuit_opened_at: "2026-06-15T12:30:00Z",
    });
    const count = proxy.standIn.count;
    const refused = await proxy.call();
    expect(refused.status).toBe(402);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(refused.headers.has("retry-after")).toBe(false);
    expect(refused.json.error).toMatchObject({
      code: "cost_circuit_open",
      param: null,
      limit_cents: 2,
      settled_microcents: 2_000_010,
      held_microcents: 0,
      circuit_open: true,
    });
    expect(proxy.standIn.count).toBe(count);
    expect(proxy.logged).toContain("cost circuit tripped");
  }));

test("one microcent below the limit the circuit is closed", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    // 66,666 tokens cost 999,990 microcents, one cent less ten.
    await spend(proxy, ONE_CENT_TOKENS - 1);
    expect((await settings(proxy)).circuit_open).toBe(false);
    await proxy.call({ ...CHAT, max_tokens: 1 });
    expect((await settings(proxy)).circuit_open).toBe(true);
  }));

test("while calls in flight may use up the rest, others are refused without a trip", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({ until: promise });
    // 400,000 output tokens are held: 24 cents.
    const first = proxy.call({ ...CHAT, max_tokens: 400_000 });
    await until(() => proxy.standIn.count === 1);
    const refused = await proxy.call();
    expect(refused.status).toBe(402);
    expect(refused.json.error).toMatchObject({ settled_microcents: 0, circuit_open: false });
    expect(refused.json.error.held_microcents).toBeGreaterThan(24_000_000);
    expect(refused.json.error.message).toContain("calls in flight");
    expect((await settings(proxy)).circuit_open).toBe(false);
    release();
    expect((await first).status).toBe(200);
    expect((await proxy.call()).status).toBe(200);
    expect(proxy.standIn.count).toBe(2);
  }));

test("a stream that is admitted finishes, though the circuit trips while it runs", () =>
  withProxy({ costLimitCents: 10 }, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" });
        await promise;
        yield chunk({ content: "two" }) + lastChunks(5, 2);
      })(),
    });
    const reader = new EventReader(await proxy.send({ ...CHAT, stream: true }));
    await reader.next();
    await spend(proxy, 10 * ONE_CENT_TOKENS);
    expect((await proxy.call()).status).toBe(402);
    release();
    expect((await reader.rest()).at(-1)).toBe("[DONE]");
    expect((await proxy.calls())[0]).toMatchObject({ ending: "completed", output_tokens: 2 });
  }));

test("the circuit stays open across a restart and into the next month, until it is reset", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    await spend(proxy, ONE_CENT_TOKENS);
    await proxy.restart();
    expect((await proxy.call()).status).toBe(402);
    proxy.clock.advance(31 * 86_400_000);
    const refused = await proxy.call();
    expect(refused.status).toBe(402);
    expect(refused.json.error).toMatchObject({ settled_microcents: 0, circuit_open: true });
    const reset = await proxy.settings({ reset_circuit: true });
    expect(reset).toMatchObject({ status: 200, body: { circuit_open: false } });
    expect((await proxy.call()).status).toBe(200);
  }));

test("a reset is refused while the month's cost is at or over the limit, also the new one", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    await spend(proxy, 3 * ONE_CENT_TOKENS);
    for (const changes of [
      { reset_circuit: true },
      { reset_circuit: true, monthly_cost_limit_cents: 2 },
      { reset_circuit: true, monthly_cost_limit_cents: 3 },
    ]) {
      expect((await proxy.settings(changes)).status).toBe(409);
      expect((await settings(proxy)).monthly_cost_limit_cents).toBe(1);
      expect((await proxy.call()).status).toBe(402);
    }
    // A higher limit alone closes nothing.
    expect((await proxy.settings({ monthly_cost_limit_cents: 4 })).status).toBe(200);
    expect((await proxy.call()).status).toBe(402);
    expect((await proxy.settings({ reset_circuit: true })).status).toBe(200);
    expect((await proxy.call()).status).toBe(200);
    // It trips again at the new limit.
    await spend(proxy, ONE_CENT_TOKENS);
    expect((await proxy.call()).status).toBe(402);
  }));

test("a reset counts what has been settled just before and is not yet written", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    await spend(proxy, ONE_CENT_TOKENS);
    await proxy.settings({ monthly_cost_limit_cents: 2, reset_circuit: true });
    const [, reset] = await Promise.all([
      spend(proxy, 2 * ONE_CENT_TOKENS),
      until(() => proxy.standIn.count === 2).then(() => proxy.settings({ reset_circuit: true })),
    ]);
    // Whichever came first: the circuit is open in the end, in memory and on disk.
    expect([200, 409]).toContain(reset.status);
    expect((await proxy.call()).status).toBe(402);
    await proxy.restart();
    expect((await proxy.call()).status).toBe(402);
  }));

test("a limit set below what is spent trips the circuit at once", () =>
  withProxy({ costLimitCents: 100 }, async (proxy) => {
    await spend(proxy, 5 * ONE_CENT_TOKENS);
    const lowered = await proxy.settings({ monthly_cost_limit_cents: 5 });
    expect(lowered.body.circuit_open).toBe(true);
    expect((await proxy.call()).status).toBe(402);
  }));
