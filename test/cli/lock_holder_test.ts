import { expect, test } from "bun:test";
import { holderOf, lockHolder } from "../../src/cli/lock_holder.ts";

const LOCKS = `1: POSIX  ADVISORY  READ  812 fe:01:2051 128 128
2: POSIX  ADVISORY  WRITE 2114 fe:01:9077 1073741824 1073742335
2: -> POSIX  ADVISORY  WRITE 99 fe:01:9077 1073741824 1073742335
3: FLOCK  ADVISORY  WRITE 55 00:19:3 0 EOF
`;

test("the holder of a lock is found by the file's number", () => {
  expect(holderOf(LOCKS, 9077)).toBe(2114);
  expect(holderOf(LOCKS, 3)).toBe(55);
  expect(holderOf(LOCKS, 1)).toBeNull();
});

test("a directory without a lock has no holder", () => {
  expect(lockHolder("/nowhere")).toBeNull();
});
