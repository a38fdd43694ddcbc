import { expect, test } from "bun:test";
import { checkLines, fail, ok, summaryOf, warn } from "../../../src/cli/doctor/check.ts";

const CHECKS = [ok("disk", "1 GB"), warn("event loop", "slow", "wait"), fail("ledger", "no", "x")];

test("checks stand in columns, and under each what to do about it", () => {
  expect(checkLines(CHECKS).split("\n")).toEqual([
    "[ok]    disk        1 GB",
    "[warn]  event loop  slow",
    "                    fix: wait",
    "[FAIL]  ledger      no",
    "                    fix: x",
  ]);
});

test("the summary counts what is wrong", () => {
  expect(summaryOf(CHECKS)).toBe("3 checks: 1 failure, 1 warning.");
  expect(summaryOf(CHECKS.slice(0, 1))).toBe("1 check: no failures, no warnings.");
  expect(summaryOf([...CHECKS, ...CHECKS])).toBe("6 checks: 2 failures, 2 warnings.");
});
