import { expect, test } from "bun:test";
import { completion, type DataPlane, withProxy } from "../support/data_plane.ts";

// P10: once the cost circuit is open no call goes upstream; it stays open across restarts and months until it is reset,
// which is refused while the month is still over, and written down.

// gpt-4o-mini costs $0.15 per million input tokens: a cent are 66,667 of them.
const ONE_CENT_TOKENS = 66_667;

/** Spends so many cents, and a little. */
async function spend(proxy: DataPlane, cents: number): Promise<void> {
  proxy.standIn.next({ body: completion(cents * ONE_CENT_TOKENS, 0, "") });
  expect((await proxy.call()).status).toBe(200);
}

/** Expects that calls are refused as often as they come, and that none reaches the provider. */
async function expectOpen(proxy: DataPlane): Promise<void> {
  const before = proxy.standIn.count;
  const answers = await Promise.all(Array.from({ length: 20 }, () => proxy.call()));
  for (const { status, json, headers } of answers) {
    expect([status, json.error.code]).toEqual([402, "cost_circuit_open"]);
    expect(headers.get("x-should-retry")).toBe("false");
  }
  expect(proxy.standIn.count).toBe(before);
}

/** Returns what the trail says of the circuit, oldest first: who, what, and how it was before and after. */
async function trail(proxy: DataPlane): Promise<unknown[]> {
  const { events } = (await proxy.manage("GET", "/audit?limit=200")).body;
  return events
    .map((event: { actor: string; action: string; detail: { circuit_open?: unknown } }) => [
      event.actor,
      event.action,
      event.detail.circuit_open,
    ])
    .filter(
      ([, action, circuit]: [unknown, unknown, unknown]) =>
        action === "cost_circuit.trip" || typeof circuit === "object",
    )
    .toReversed();
}

test("P10: an open circuit lets nothing through: not after restarts, not in the next month, not for a higher limit", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    await spend(proxy, 1);
    await expectOpen(proxy);
    await proxy.restart();
    await expectOpen(proxy);
    proxy.clock.advance(31 * 86_400_000);
    await expectOpen(proxy);
    await proxy.restart();
    await expectOpen(proxy);
    expect((await proxy.settings({ monthly_cost_limit_cents: 1000 })).status).toBe(200);
    await expectOpen(proxy);
    expect((await proxy.settings({ reset_circuit: true })).status).toBe(200);
    expect((await proxy.call()).status).toBe(200);
  }));

test("P10: calls that come as the limit is reached: none is sent after the one that tripped it was settled", () =>
  withProxy({ costLimitCents: 3 }, async (proxy) => {
    for (let call = 0; call < 50; call += 1)
      proxy.standIn.next({ body: completion(ONE_CENT_TOKENS, 0, "") });
    const statuses: number[] = [];
    for (let call = 0; call < 10; call += 1) statuses.push((await proxy.call()).status);
    expect(statuses).toEqual([200, 200, 200, ...Array<number>(7).fill(402)]);
    expect(proxy.standIn.count).toBe(3);
  }));

interface Reset {
  readonly name: string;
  readonly body: object;
  readonly status: 200 | 409;
  /** Whether calls go through afterwards. */
  readonly closed: boolean;
}

/** Three cents were spent of three. */
const RESETS: readonly Reset[] = [
  { name: "alone", body: { reset_circuit: true }, status: 409, closed: false },
  {
    name: "with a lower limit",
    body: { reset_circuit: true, monthly_cost_limit_cents: 1 },
    status: 409,
    closed: false,
  },
  {
    name: "with the same limit",
    body: { reset_circuit: true, monthly_cost_limit_cents: 3 },
    status: 409,
    closed: false,
  },
  {
    name: "with a higher limit",
    body: { reset_circuit: true, monthly_cost_limit_cents: 4 },
    status: 200,
    closed: true,
  },
  {
    name: "not asked for, with a higher limit",
    body: { monthly_cost_limit_cents: 4 },
    status: 200,
    closed: false,
  },
  {
    name: "said to be false, with a higher limit",
    body: { reset_circuit: false, monthly_cost_limit_cents: 4 },
    status: 200,
    closed: false,
  },
];

test.each(RESETS)("P10: a reset $name is answered $status", ({ body, status, closed }) =>
  withProxy({ costLimitCents: 3 }, async (proxy) => {
    await spend(proxy, 3);
    const before = (await proxy.manage("GET", "/settings")).body;
    expect((await proxy.settings(body)).status).toBe(status);
    if (status === 409) expect((await proxy.manage("GET", "/settings")).body).toEqual(before);
    expect((await proxy.call()).status).toBe(closed ? 200 : 402);
    await proxy.restart();
    expect((await proxy.call()).status).toBe(closed ? 200 : 402);
  }),
);

test("P10: in the next month a reset alone is enough", () =>
  withProxy({ costLimitCents: 3 }, async (proxy) => {
    await spend(proxy, 3);
    expect((await proxy.settings({ reset_circuit: true })).status).toBe(409);
    proxy.clock.advance(31 * 86_400_000);
    expect((await proxy.settings({ reset_circuit: true })).status).toBe(200);
    await spend(proxy, 1);
  }));

test("P10: what opened and closed the circuit is written down, refused resets are not", () =>
  withProxy({ costLimitCents: 1 }, async (proxy) => {
    await spend(proxy, 1);
    await proxy.settings({ reset_circuit: true });
    proxy.clock.advance(1000);
    await proxy.settings({ reset_circuit: true, monthly_cost_limit_cents: 5 });
    proxy.clock.advance(1000);
    await proxy.settings({ monthly_cost_limit_cents: 1 });
    expect(await trail(proxy)).toEqual([
      ["system", "cost_circuit.trip", undefined],
      ["admin", "settings.save", { before: true, after: false }],
      ["admin", "settings.save", { before: false, after: true }],
    ]);
  }));
