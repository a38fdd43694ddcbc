import { expect, test } from "bun:test";
import { systemClock } from "../../src/std/clock.ts";

test("the wall clock says the time in milliseconds since the epoch", () => {
  const before = Date.now();
  const wallMs = systemClock.wallMs();
  expect(wallMs).toBeGreaterThanOrEqual(before);
  expect(wallMs).toBeLessThanOrEqual(Date.now());
});

test("the monotonic clock never goes back", () => {
  const times = Array.from({ length: 1000 }, () => systemClock.monotonicMs());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
