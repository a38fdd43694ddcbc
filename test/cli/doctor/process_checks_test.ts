import { expect, test } from "bun:test";
import { checkProcess, checkSurroundings } from "../../../src/cli/doctor/process_checks.ts";
import type { ProcessFacts } from "../../../src/management_plane/deps.ts";

const WELL: ProcessFacts = {
  draining: false,
  jit_active: true,
  fetch_capacity: 16_384,
  concurrency: 8000,
  open_files: 40,
  open_files_soft: 65_536,
  open_files_hard: 65_536,
  loop_lag_ms: 2,
  ledger_writable: true,
  holds_pending: 0,
  oldest_hold_s: null,
  clock_behind_s: 0,
  memory_bytes: 90_000_000,
  memory_limit_bytes: 0,
  proxies: [],
  authorities: [],
  settings: [
    { name: "--upstream-headers-timeout-s", value: "600", source: "default" },
    { name: "--answer-time-limit-s", value: "3600", source: "default" },
  ],
};

const checksOf = (facts: Partial<ProcessFacts>) => {
  const all = { ...WELL, ...facts };
  return [...checkProcess(all), ...checkSurroundings(all)];
};

test("a process that is well passes every check", () => {
  expect(checksOf({}).map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => "ok"));
});

const TROUBLES: readonly (readonly [
  facts: Partial<ProcessFacts>,
  name: string,
  state: "ok" | "warn" | "fail",
])[] = [
  [{ draining: true }, "stop", "warn"],
  [{ jit_active: false }, "JIT", "warn"],
  [{ fetch_capacity: 256 }, "requests to providers", "warn"],
  [{ fetch_capacity: 256, concurrency: 256 }, "requests to providers", "ok"],
  [{ open_files_soft: 16_100 }, "open files", "ok"],
  [{ open_files_soft: 16_099 }, "open files", "warn"],
  [{ open_files_soft: 16_099, open_files: 13_000 }, "open files", "fail"],
  [{ open_files_soft: null, open_files: null }, "open files", "ok"],
  [{ loop_lag_ms: 1000 }, "event loop", "ok"],
  [{ loop_lag_ms: 1001 }, "event loop", "warn"],
  [{ loop_lag_ms: null }, "event loop", "ok"],
  [{ ledger_writable: false }, "ledger", "fail"],
  [{ holds_pending: 2, oldest_hold_s: 4320 }, "holds", "ok"],
  [{ holds_pending: 2, oldest_hold_s: 4321 }, "holds", "warn"],
  [{ memory_limit_bytes: 90_000_000 }, "memory", "warn"],
  [{ memory_limit_bytes: 89_999_999 }, "memory", "fail"],
  [{ memory_limit_bytes: 200_000_000 }, "memory", "ok"],
  [{ clock_behind_s: 60 }, "clock", "ok"],
  [{ clock_behind_s: 61 }, "clock", "warn"],
  [{ proxies: ["HTTPS_PROXY"] }, "HTTP proxies", "warn"],
  [{ authorities: [{ name: "A", path: "/a", readable: true }] }, "certificates", "ok"],
  [{ authorities: [{ name: "A", path: "/a", readable: false }] }, "certificates", "fail"],
];

test.each(TROUBLES)("%p: %s is %s", (facts, name, state) => {
  const check = checksOf(facts).find((one) => one.name === name);
  expect(check?.state).toBe(state);
  expect(check?.fix === null).toBe(state === "ok");
  const others = checksOf(facts).filter((one) => one.name !== name);
  expect(others.every((one) => one.state === "ok")).toBe(true);
});
