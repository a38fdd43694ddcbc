import { expect, mock, test } from "bun:test";
import { lazy } from "../../src/std/lazy.ts";

test("a value is made when it is first asked for, and once", () => {
  const make = mock(() => undefined);
  const value = lazy(make);
  expect(make).toHaveBeenCalledTimes(0);
  expect([value(), value()]).toEqual([undefined, undefined]);
  expect(make).toHaveBeenCalledTimes(1);
});

test("what could not be made is tried again", () => {
  const make = mock(() => 7).mockImplementationOnce(() => {
    throw new Error("not now");
  });
  const value = lazy(make);
  expect(value).toThrow("not now");
  expect(value()).toBe(7);
});
