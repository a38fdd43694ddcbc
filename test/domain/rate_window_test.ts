import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RATE_WINDOW_MS, RateWindow } from "../../src/domain/rate_window.ts";

const anyLimit = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }));
const anyPauseMs = fc.oneof(
  fc.constantFrom(0, 0, 0, 1, 59_999, 60_000, 60_001),
  fc.integer({ min: 0, max: 20_000 }),
);

/** One thing that happens to a key, after a pause. */
const anyStep = fc.record({
  pauseMs: anyPauseMs,
  verb: fc.constantFrom("ask", "ask", "ask", "ask", "take back", "limit"),
  chance: fc.nat({ max: 100 }),
  limit: anyLimit,
});

/** What the window must agree with: every admission of the key, in order. */
class Model {
  admitted: number[] = [];

  recent(nowMs: number): number[] {
    return this.admitted.filter((timeMs) => nowMs - timeMs < RATE_WINDOW_MS);
  }

  /** Waits, one millisecond at a time in spirit, until few enough of them are left. */
  waitMs(nowMs: number, limit: number): number {
    const recent = this.recent(nowMs);
    const leaving = recent[recent.length - limit];
    return leaving === undefined ? 0 : leaving + RATE_WINDOW_MS - nowMs;
  }
}

function expectAgreement(window: RateWindow, model: Model, nowMs: number, limit: number): void {
  const recent = model.recent(nowMs);
  expect(window.hasRoom(nowMs, limit)).toBe(recent.length < limit);
  expect(window.remaining(nowMs, limit)).toBe(Math.max(0, limit - recent.length));
  expect(window.waitMs(nowMs, limit)).toBe(model.waitMs(nowMs, limit));
  const last = recent.at(-1);
  expect(window.resetMs(nowMs)).toBe(last === undefined ? 0 : last + RATE_WINDOW_MS - nowMs);
  expect(window.isEmpty(nowMs)).toBe(recent.length === 0);
  expect(window.times()).toEqual(recent);
}

/** Returns the most admissions that any span of a minute holds. */
function densest(admitted: readonly number[]): number {
  const counts = admitted.map(
    (startMs) =>
      admitted.filter((timeMs) => timeMs >= startMs && timeMs < startMs + RATE_WINDOW_MS).length,
  );
  return Math.max(0, ...counts);
}

test("any history agrees with a plain list of times, whatever the limit is changed to", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 120 }), (steps) => {
      const window = new RateWindow();
      const model = new Model();
      let nowMs = 0;
      let limit = 3;
      for (const step of steps) {
        nowMs += step.pauseMs;
        if (step.verb === "limit") limit = step.limit;
        if (step.verb === "ask" && window.hasRoom(nowMs, limit)) {
          window.add(nowMs);
          model.admitted.push(nowMs);
        }
        if (step.verb === "take back") {
          const recent = model.recent(nowMs);
          const timeMs = recent[step.chance % Math.max(1, recent.length)] ?? -1;
          window.takeBack(timeMs);
          const index = model.admitted.lastIndexOf(timeMs);
          if (index !== -1) model.admitted.splice(index, 1);
        }
        expectAgreement(window, model, nowMs, limit);
      }
    }),
  );
});

test("no span of a minute ever holds more than the limit, and whoever waits as told gets in", () => {
  fc.assert(
    fc.property(anyLimit, fc.array(anyPauseMs, { maxLength: 150 }), (limit, pausesMs) => {
      const window = new RateWindow();
      const admitted: number[] = [];
      let nowMs = 0;
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        const waitMs = window.waitMs(nowMs, limit);
        if (waitMs > 0) {
          expect(window.hasRoom(nowMs, limit)).toBe(false);
          expect(window.hasRoom(nowMs + waitMs - 1, limit)).toBe(false);
          nowMs += waitMs;
        }
        expect(window.hasRoom(nowMs, limit)).toBe(true);
        window.add(nowMs);
        admitted.push(nowMs);
      }
      expect(densest(admitted)).toBeLessThanOrEqual(limit);
    }),
  );
});

describe("a window of two calls a minute", () => {
  const at = (...times: number[]): RateWindow => {
    const window = new RateWindow();
    for (const timeMs of times) window.add(timeMs);
    return window;
  };

  test("refuses one millisecond before the wait is over, and admits when it is", () => {
    const window = at(100, 40_000);
    expect(window.waitMs(50_000, 2)).toBe(10_100);
    expect(window.hasRoom(60_099, 2)).toBe(false);
    expect(window.hasRoom(60_100, 2)).toBe(true);
  });

  test("waits for all that are over a limit that was lowered", () => {
    const window = at(0, 10, 20, 30);
    expect(window.waitMs(100, 2)).toBe(59_920);
    expect(window.remaining(100, 2)).toBe(0);
    expect(window.hasRoom(60_019, 2)).toBe(false);
    expect(window.hasRoom(60_020, 2)).toBe(true);
  });

  test("has room at once when the limit is raised", () => {
    const window = at(0, 10);
    expect(window.hasRoom(20, 2)).toBe(false);
    expect(window.remaining(20, 5)).toBe(3);
    expect(window.waitMs(20, 5)).toBe(0);
  });

  test("takes back one admission of several at the same time, and nothing for a time without one", () => {
    const window = at(5, 7, 7, 9);
    window.takeBack(7);
    window.takeBack(8);
    expect(window.times()).toEqual([5, 7, 9]);
  });

  test("is empty a minute after its last admission, and can be used again", () => {
    const window = at(0, 500);
    expect(window.resetMs(600)).toBe(59_900);
    expect(window.isEmpty(60_499)).toBe(false);
    expect(window.isEmpty(60_500)).toBe(true);
    expect([window.times(), window.resetMs(60_500)]).toEqual([[], 0]);
    window.add(60_500);
    expect(window.times()).toEqual([60_500]);
  });
});

test("memory grows with the limit, not with the calls made", () => {
  const allocated: number[] = [];
  class Counted extends Float64Array {
    constructor(length: number) {
      super(length);
      allocated.push(length);
    }
  }
  const original = globalThis.Float64Array;
  globalThis.Float64Array = Counted as unknown as typeof Float64Array;
  try {
    const window = new RateWindow();
    for (let nowMs = 0; nowMs < 10_000_000; nowMs += 500) {
      if (window.hasRoom(nowMs, 100)) window.add(nowMs);
    }
    expect(window.times()).toHaveLength(100);
  } finally {
    globalThis.Float64Array = original;
  }
  expect(allocated.at(0)).toBeLessThanOrEqual(8);
  expect(Math.max(...allocated)).toBeLessThanOrEqual(2 * 100);
  expect(allocated.length).toBeLessThan(8);
});
