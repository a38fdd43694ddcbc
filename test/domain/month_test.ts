import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Month, monthOf, monthStartMs, nextMonthStartMs } from "../../src/domain/month.ts";

const TIMES: readonly [time: string, month: Month][] = [
  ["1970-01-01T00:00:00.000Z", 197001],
  ["2026-01-01T00:00:00.000Z", 202601],
  ["2026-06-15T12:00:00.000Z", 202606],
  ["2026-12-31T23:59:59.999Z", 202612],
  ["2027-01-01T00:00:00.000Z", 202701],
  ["2027-02-28T23:59:59.999Z", 202702],
  ["2027-03-01T00:00:00.000Z", 202703],
  ["2028-02-28T23:59:59.999Z", 202802],
  ["2028-02-29T00:00:00.000Z", 202802],
  ["2028-02-29T23:59:59.999Z", 202802],
  ["2028-03-01T00:00:00.000Z", 202803],
  ["2026-06-30T23:59:59.999-12:00", 202607],
  ["2026-07-01T00:00:00.000+12:00", 202606],
];

test.each(TIMES)("%s lies in %p", (time, month) => {
  expect(monthOf(Date.parse(time))).toBe(month);
});

const BOUNDS: readonly [month: Month, start: string, next: string][] = [
  [202601, "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"],
  [202612, "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
  [202702, "2027-02-01T00:00:00.000Z", "2027-03-01T00:00:00.000Z"],
  [202802, "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"],
];

test.each(BOUNDS)("%p begins and ends on time", (month, start, next) => {
  expect(new Date(monthStartMs(month)).toISOString()).toBe(start);
  expect(new Date(nextMonthStartMs(month)).toISOString()).toBe(next);
});

test("every time lies between the start of its month and that of the next, and months follow time", () => {
  const anyTimeMs = fc.integer({ min: 0, max: Date.UTC(2200, 0) });
  fc.assert(
    fc.property(anyTimeMs, anyTimeMs, (timeMs, otherMs) => {
      const month = monthOf(timeMs);
      expect(monthStartMs(month)).toBeLessThanOrEqual(timeMs);
      expect(nextMonthStartMs(month)).toBeGreaterThan(timeMs);
      expect(monthOf(monthStartMs(month))).toBe(month);
      expect(monthOf(nextMonthStartMs(month) - 1)).toBe(month);
      if (otherMs > timeMs) expect(monthOf(otherMs)).toBeGreaterThanOrEqual(month);
    }),
  );
});
