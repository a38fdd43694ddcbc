import { expect, test } from "bun:test";
import type { Row } from "../../src/store/tables.ts";
import {
  CHAT,
  completion,
  type DataPlane,
  type TestKey,
  until,
  withProxy,
} from "../support/data_plane.ts";

// P9: at every admission, used + held is below the ceiling before the call's own hold is added. What is used beyond the
// ceiling is at most the hold of the call that crosses it, and what calls in flight use beyond their holds.

const AT_ONCE = 200;

/** Output caps of calls, of different sizes. */
const CAPS = Array.from({ length: AT_ONCE }, (_, call) => 50 + ((call * 37) % 100));

/** Expects that each call found room when it was admitted. None of them had ended by then. */
function expectAdmittedBelow(limit: number, rows: readonly Row<"calls">[]): void {
  let held = 0;
  for (const row of rows) {
    expect(held).toBeLessThan(limit);
    held += row.held_tokens;
  }
}

async function usedTokens(proxy: DataPlane, key: TestKey): Promise<number> {
  const { keys } = (await proxy.manage("GET", "/keys")).body;
  return keys.find((one: { id: string }) => one.id === key.id).tokens_used_cycle;
}

/** Lets 200 calls come at once, answers those that are admitted, and returns how many that were. */
async function rush(
  proxy: DataPlane,
  key: TestKey,
  {
    caps = CAPS,
    body,
  }: { readonly caps?: readonly number[]; readonly body?: ReturnType<typeof completion> } = {},
): Promise<number> {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const arrived = proxy.standIn.count;
  for (const _ of caps)
    proxy.standIn.next({ until: promise, ...(body === undefined ? {} : { body }) });
  let refused = 0;
  const answering = caps.map(async (max_tokens) => {
    const { status, json } = await proxy.call({ ...CHAT, max_tokens }, { key });
    if (status === 200) return;
    expect([status, json.error.code]).toEqual([429, "token_ceiling_exceeded"]);
    refused += 1;
  });
  await until(() => refused + proxy.standIn.count - arrived === caps.length);
  release();
  await Promise.all(answering);
  return caps.length - refused;
}

test("P9: of 200 calls at once only those get in that find room, and one at most crosses the ceiling", () =>
  withProxy({}, async (proxy) => {
    const limit = 1_000;
    const key = await proxy.createKey({ monthly_token_limit: limit });
    const admitted = await rush(proxy, key);
    const rows = await proxy.calls(key);
    expect(rows).toHaveLength(admitted);
    expectAdmittedBelow(limit, rows);
    // Nothing was kept back either: the next call would have found no room.
    expect(sumOf(rows.map((row) => row.held_tokens))).toBeGreaterThanOrEqual(limit);
    expect(admitted).toBeGreaterThan(3);
    expect(admitted).toBeLessThan(30);
  }));

test("P9: where every call uses its whole hold, the ceiling is passed by less than one hold", () =>
  withProxy({}, async (proxy) => {
    await proxy.call({ ...CHAT, max_tokens: 100 });
    const hold = (await proxy.calls())[0]?.held_tokens ?? 0;
    const limit = 10 * hold + 1;
    const key = await proxy.createKey({ monthly_token_limit: limit });
    const caps = Array<number>(AT_ONCE).fill(100);
    expect(await rush(proxy, key, { caps, body: completion(hold - 100, 100) })).toBe(11);
    expect(await usedTokens(proxy, key)).toBe(limit - 1 + hold);
    expect(await rush(proxy, key, { caps })).toBe(0);
  }));

test("P9: what calls use beyond their holds is counted, and nothing more gets in, after a restart neither", () =>
  withProxy({}, async (proxy) => {
    const limit = 1_000;
    const key = await proxy.createKey({ monthly_token_limit: limit });
    await rush(proxy, key, { body: completion(100, 100) });
    const rows = await proxy.calls(key);
    const used = await usedTokens(proxy, key);
    expect(used).toBe(rows.length * 200);
    expect(used).toBeGreaterThan(limit);
    const beyond = sumOf(
      rows.map((row) => Math.max(0, row.input_tokens + row.output_tokens - row.held_tokens)),
    );
    expect(beyond).toBeGreaterThan(0);
    const crossing = Math.max(...rows.map((row) => row.held_tokens));
    expect(used).toBeLessThanOrEqual(limit - 1 + crossing + beyond);
    expect(await rush(proxy, key)).toBe(0);
    await proxy.restart();
    expect((await proxy.call(CHAT, { key })).status).toBe(429);
  }));

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
