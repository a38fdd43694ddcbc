import { expect, test } from "bun:test";
import fc from "fast-check";
import { uuid7, uuid7From, uuid7TimeMs } from "../../src/std/uuid7.ts";

const anyTimeMs = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test("an id is a UUID of version 7 that begins with its time", () => {
  const id = uuid7(0x0199_1234_5678);
  expect(id).toMatch(/^01991234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("ids sort by time, also when the time goes back in between", () => {
  fc.assert(
    fc.property(anyTimeMs, anyTimeMs, (a, b) => {
      const [first, second] = [uuid7(a), uuid7(b)];
      if (a !== b) expect(first < second).toBe(a < b);
    }),
  );
});

test("ids of one millisecond differ", () => {
  const ids = Array.from({ length: 10_000 }, () => uuid7(1_750_000_000_000));
  expect(new Set(ids).size).toBe(ids.length);
});

test("the bound of a time lies at or before its ids, and behind all earlier ones", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), (timeMs) => {
      const bound = uuid7From(timeMs);
      expect(bound).toHaveLength(36);
      expect(bound <= uuid7(timeMs)).toBe(true);
      expect(bound > uuid7(timeMs - 1)).toBe(true);
    }),
  );
});

test("the bound of a time before the epoch lies before every id", () => {
  expect(uuid7From(-1)).toBe("00000000-0000-7000-8000-000000000000");
  expect(uuid7From(-1) <= uuid7(0)).toBe(true);
});

test("the time of an id is the one that it was made with", () => {
  fc.assert(fc.property(anyTimeMs, (timeMs) => expect(uuid7TimeMs(uuid7(timeMs))).toBe(timeMs)));
});
