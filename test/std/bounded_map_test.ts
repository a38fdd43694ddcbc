import { expect, test } from "bun:test";
import fc from "fast-check";
import { BoundedMap } from "../../src/std/bounded_map.ts";

test("a full map forgets what was written longest ago", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("c", 3);
  expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([undefined, 2, 3]);
});

test("writing again keeps an entry, reading does not", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.get("b");
  map.set("c", 4);
  expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([3, undefined, 4]);
});

test("any writes and deletions leave the newest entries, never more than fit", () => {
  const anyStep = fc.tuple(fc.constantFrom("set", "delete"), fc.nat({ max: 8 }), fc.nat());
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(anyStep), (sizeMax, steps) => {
      const map = new BoundedMap<number, number>(sizeMax);
      let model: (readonly [key: number, value: number])[] = [];
      for (const [verb, key, value] of steps) {
        const others = model.filter(([known]) => known !== key);
        if (verb === "set") {
          map.set(key, value);
          model = [...others, [key, value] as const].slice(-sizeMax);
        } else {
          expect(map.delete(key)).toBe(others.length < model.length);
          model = others;
        }
        expect(map.size).toBe(model.length);
        const keys = Array.from({ length: 9 }, (_, index) => index);
        expect(keys.map((one) => map.get(one))).toEqual(
          keys.map((one) => model.find(([known]) => known === one)?.[1]),
        );
      }
    }),
  );
});

test("keys can be deleted while they are looked at, the oldest first", () => {
  const map = new BoundedMap<string, number>(3);
  for (const key of ["a", "b", "c", "d"]) map.set(key, 1);
  const seen: string[] = [];
  for (const key of map.keys()) {
    seen.push(key);
    if (key !== "c") map.delete(key);
  }
  expect(seen).toEqual(["b", "c", "d"]);
  expect([...map.keys()]).toEqual(["c"]);
});
