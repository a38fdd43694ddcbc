import { expect, test } from "bun:test";
import { LoopLag } from "../../src/std/loop_lag.ts";
import { manualClock } from "../support/clock.ts";

test("lag is by how much more than a second has passed, and never less than nothing", () => {
  const clock = manualClock();
  const lag = new LoopLag(clock);
  lag.start();
  for (const passedMs of [1000, 1300, 900]) {
    clock.advance(passedMs);
    lag.look();
  }
  lag.stop();
  expect(lag.seconds.sum).toBeCloseTo(0.3, 9);
  expect(lag.seconds.counts.reduce((sum, count) => sum + count)).toBe(3);
  expect(lag.seconds.counts[0]).toBe(2);
});

test("the worst lag is that of the last minute", () => {
  const clock = manualClock();
  const lag = new LoopLag(clock);
  expect(lag.worstMs).toBeNull();
  for (const passedMs of [1000, 1700, 1200]) {
    clock.advance(passedMs);
    lag.look();
  }
  expect(lag.worstMs).toBe(700);
  for (let second = 0; second < 59; second += 1) {
    clock.advance(1000);
    lag.look();
  }
  expect(lag.worstMs).toBe(200);
});
