import { expect, test } from "bun:test";
import { formatRfc3339, parseRfc3339 } from "../../src/std/rfc3339.ts";

test("times are written in UTC and whole seconds", () => {
  expect(formatRfc3339(Date.UTC(2026, 5, 1))).toBe("2026-06-01T00:00:00Z");
  expect(formatRfc3339(Date.UTC(2026, 11, 31, 23, 59, 59, 999))).toBe("2026-12-31T23:59:59Z");
});

const GOOD: [text: string, timeMs: number][] = [
  ["2026-06-01T00:00:00Z", Date.UTC(2026, 5, 1)],
  ["2026-06-01t00:00:00z", Date.UTC(2026, 5, 1)],
  ["2026-06-01T00:00:00.5Z", Date.UTC(2026, 5, 1, 0, 0, 0, 500)],
  ["2026-06-01T00:00:00.123456789Z", Date.UTC(2026, 5, 1, 0, 0, 0, 123)],
  ["2026-06-01T02:30:00+02:30", Date.UTC(2026, 5, 1)],
  ["2026-05-31T19:00:00-05:00", Date.UTC(2026, 5, 1)],
  ["2028-02-29T12:00:00Z", Date.UTC(2028, 1, 29, 12)],
];

test.each(GOOD)("%s is read", (text, timeMs) => {
  expect(parseRfc3339(text)).toBe(timeMs);
});

const BAD = [
  "",
  "now",
  "2026-06-01",
  "2026-06-01T00:00Z",
  "2026-06-01T00:00:00",
  "2026-06-01 00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "2027-02-29T00:00:00Z",
  "2026-06-01T24:00:00Z",
  "2026-06-01T00:60:00Z",
  "2026-06-01T00:00:60Z",
  "2026-06-01T00:00:00.Z",
  "2026-06-01T00:00:00+0200",
  "2026-06-01T00:00:00+24:00",
  "2026-06-01T00:00:00Z\n",
  "1767225600000",
];

test.each(BAD)("%p is no time", (text) => {
  expect(parseRfc3339(text)).toBeNull();
});
