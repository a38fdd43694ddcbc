import { expect, test } from "bun:test";
import { TokenBucket } from "../../src/std/token_bucket.ts";
import { manualClock } from "../support/clock.ts";

function open(burst: number, refillMs: number) {
  const clock = manualClock();
  return { clock, bucket: new TokenBucket(clock, { burst, refillMs }) };
}

test("a bucket gives its burst at once, and then says when the next token is there", () => {
  const { clock, bucket } = open(3, 1000);
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0]);
  expect(bucket.take()).toBe(1000);
  clock.advance(400);
  expect(bucket.take()).toBe(600);
  clock.advance(599);
  expect(bucket.take()).toBe(1);
  clock.advance(1);
  expect(bucket.take()).toBe(0);
  expect(bucket.take()).toBe(1000);
});

test("asking in vain puts nothing off", () => {
  const { clock, bucket } = open(1, 1000);
  bucket.take();
  for (let ms = 0; ms < 999; ms += 1) {
    expect(bucket.take()).toBeGreaterThan(0);
    clock.advance(1);
  }
  clock.advance(1);
  expect(bucket.take()).toBe(0);
});

test("it never holds more than its burst, however long it rests", () => {
  const { clock, bucket } = open(2, 1000);
  clock.advance(3_600_000);
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 1000]);
  bucket.putBack();
  expect(bucket.take()).toBe(0);
  for (let time = 0; time < 9; time += 1) bucket.putBack();
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 1000]);
});
