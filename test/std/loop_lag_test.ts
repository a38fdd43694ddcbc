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
