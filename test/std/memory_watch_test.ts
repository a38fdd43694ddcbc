import { describe, expect, test } from "bun:test";
import { watchMemory } from "../../src/std/memory_watch.ts";
import { manualClock } from "../support/clock.ts";

/** A process whose memory and garbage a test decides on. */
function watched(limitBytes: number) {
  const clock = manualClock();
  const state = { used: 0, garbage: 0, looks: 0, collections: 0, changes: [] as boolean[] };
  const tooMuch = watchMemory({
    limitBytes,
    clock,
    residentBytes: () => {
      state.looks += 1;
      return state.used + state.garbage;
    },
    collect: () => {
      state.collections += 1;
      state.garbage = 0;
    },
    onChange: (now) => void state.changes.push(now),
  });
  return { state, clock, tooMuch };
}

describe("watchMemory()", () => {
  test("looks at most once a second, however often it is asked", () => {
    const { state, clock, tooMuch } = watched(100);
    for (let ask = 0; ask < 50; ask += 1) expect(tooMuch()).toBe(false);
    expect(state.looks).toBe(1);
    state.used = 101;
    clock.advance(999);
    expect(tooMuch()).toBe(false);
    clock.advance(1);
    expect(tooMuch()).toBe(true);
    state.used = 100;
    clock.advance(1000);
    expect(tooMuch()).toBe(false);
    expect(state.changes).toEqual([true, false]);
  });

  test("collects garbage before it says that there is too much", () => {
    const { state, tooMuch } = watched(100);
    state.used = 40;
    state.garbage = 200;
    expect(tooMuch()).toBe(false);
    expect(state.collections).toBe(1);
    expect(state.changes).toEqual([]);
  });

  test("collects rarely, even while there is too much", () => {
    const { state, clock, tooMuch } = watched(100);
    state.used = 200;
    for (let second = 0; second < 30; second += 1) {
      expect(tooMuch()).toBe(true);
      clock.advance(1000);
    }
    expect(state.collections).toBe(3);
  });

  test("never looks without a limit", () => {
    const { state, tooMuch } = watched(0);
    state.used = Number.MAX_SAFE_INTEGER;
    expect(tooMuch()).toBe(false);
    expect(state.looks).toBe(0);
  });
});
