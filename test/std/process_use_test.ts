import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { processUse } from "../../src/std/process_use.ts";

test("a process began before now, has memory and has used some of a processor", () => {
  const nowMs = Date.UTC(2026, 5, 15);
  const use = processUse(nowMs);
  expect(use.startTimeSeconds).toBeLessThan(nowMs / 1000);
  expect(use.residentBytes).toBeGreaterThan(1 << 20);
  expect(use.cpuSeconds).toBeGreaterThan(0);
});

test("a file that is opened counts as one more descriptor, where the system tells", () => {
  const before = processUse(0).openFds;
  const file = openSync("/dev/null", "r");
  const during = processUse(0).openFds;
  closeSync(file);
  expect(during).toBe(before === null ? null : before + 1);
});
