import { expect, test } from "bun:test";
import fc from "fast-check";
import { ProxyError } from "../../src/domain/errors.ts";
import { CHAT, withProxy } from "../support/data_plane.ts";
import { callOf, openTestLedger, settlementOf, type TestLedger } from "../support/ledger.ts";

// P8: no 60 seconds hold more admissions of a key than its limit, also across restarts; who is refused does not count,
// and who waits as told is not refused for rate again.

const MINUTE_MS = 60_000;

const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ attempts: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      passMs: fc.constantFrom(1, 250, 999, 7_001, 20_000, 59_999, 60_000, 61_500),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom("restart", "obey") },
);

/** One client of one key, and when it was admitted. */
class Client {
  readonly admittedMs: number[] = [];
  readonly #opened: TestLedger;
  readonly #limit: number;

  constructor(opened: TestLedger, limit: number) {
    this.#opened = opened;
    this.#limit = limit;
  }

  /** Asks for a call. Returns for how many seconds it is told to wait; 0 if it is admitted. */
  async attempt(): Promise<number> {
    const { clock, ledger } = this.#opened;
    try {
      const hold = await ledger.admit(callOf(clock, { rateLimitRpm: this.#limit }));
      ledger.settle(hold, settlementOf({ input: 1, output: 1 }));
      this.admittedMs.push(clock.monotonicMs());
      return 0;
    } catch (error) {
      if (!(error instanceof ProxyError) || error.code !== "rate_limited") throw error;
      return Number(error.headers["retry-after"]);
    }
  }

  /** Returns the most admissions that any 60 seconds hold. */
  most(): number {
    const inside = this.admittedMs.map(
      (fromMs) =>
        this.admittedMs.filter((atMs) => atMs >= fromMs && atMs - fromMs < MINUTE_MS).length,
    );
    return Math.max(0, ...inside);
  }
}

test("P8: whatever the rhythm, the limits and the restarts: never more than the limit, and waiting as told is enough", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.array(anyStep, { minLength: 5, maxLength: 40 }),
      async (limit, steps) => {
        const opened = await openTestLedger();
        const client = new Client(opened, limit);
        for (const step of steps) {
          if (step === "restart") await opened.reopen();
          else if (step === "obey") {
            const waitS = await client.attempt();
            if (waitS === 0) continue;
            expect(Number.isInteger(waitS)).toBe(true);
            opened.clock.advance(waitS * 1000);
            expect(await client.attempt()).toBe(0);
          } else if ("attempts" in step) {
            for (let time = 0; time < step.attempts; time += 1) await client.attempt();
          } else {
            opened.clock.advance(step.passMs);
          }
        }
        expect(client.most()).toBeLessThanOrEqual(limit);
        await opened.close();
      },
    ),
    { numRuns: 60 },
  ));

test("P8: a client that asks for more than it may, and obeys, gets all that the limit allows", async () => {
  const opened = await openTestLedger();
  const limit = 10;
  const client = new Client(opened, limit);
  const minutes = 20;
  while (opened.clock.monotonicMs() < minutes * MINUTE_MS) {
    const waitS = await client.attempt();
    opened.clock.advance(waitS === 0 ? 100 : waitS * 1000);
  }
  expect(client.most()).toBe(limit);
  expect(client.admittedMs.length).toBeGreaterThanOrEqual(0.99 * limit * (minutes - 1));
  await opened.close();
});

test("P8: through the whole app, across a restart in the middle of the minute", () =>
  withProxy({}, async (proxy) => {
    const key = await proxy.createKey({ rate_limit_rpm: 5 });
    const statuses = async (times: number) => {
      const answers = await Promise.all(
        Array.from({ length: times }, () => proxy.call(CHAT, { key })),
      );
      return answers.map(({ status }) => status).toSorted((a, b) => a - b);
    };
    expect(await statuses(3)).toEqual([200, 200, 200]);
    proxy.clock.advance(30_000);
    await proxy.restart();
    expect(await statuses(20)).toEqual([200, 200, ...Array<number>(18).fill(429)]);
    const refused = await proxy.call(CHAT, { key });
    const waitS = Number(refused.headers.get("retry-after"));
    proxy.clock.advance(waitS * 1000);
    // The three of the first half minute are over, the two of the second are not.
    expect(await statuses(20)).toEqual([200, 200, 200, ...Array<number>(17).fill(429)]);
  }));
