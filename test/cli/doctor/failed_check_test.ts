import { expect, test } from "bun:test";
import { failedCheck } from "../../../src/cli/doctor/failed_check.ts";
import { FlagError } from "../../../src/std/flags.ts";

test("what the command line would say is said in one line, with its way out", () => {
  expect(failedCheck("x", new FlagError("Cannot y: z", "write w"))).toEqual({
    name: "x",
    state: "fail",
    detail: "Cannot y: z",
    fix: "write w",
  });
  const full = Object.assign(new Error("disk I/O"), { code: "SQLITE_IOERR_WRITE" });
  const { detail, fix } = failedCheck("database", full);
  expect(detail).toBe("Cannot use database: the disk fails; why: disk I/O");
  expect(fix).toContain("check the disk");
});

test("a fault of the program is to be reported", () => {
  const { detail, fix } = failedCheck("x", new TypeError("y is undefined"));
  expect(detail).toStartWith("y is undefined; why: ");
  expect(detail).not.toContain("failed_check_test");
  expect(fix).toContain("report");
});
