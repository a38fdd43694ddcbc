import { expect, test } from "bun:test";
import { nearest } from "../../src/std/nearest.ts";

const NAMES = ["--listen", "--data-dir", "--log-level", "--log-format"];

const CASES = [
  { written: "--lisen", meant: "--listen" },
  { written: "--listen-address", meant: "--listen" },
  { written: "--data_dir", meant: "--data-dir" },
  { written: "--log-levle", meant: "--log-level" },
  { written: "--completely-other", meant: null },
];

for (const { written, meant } of CASES) {
  test(`${written} is taken for ${meant ?? "nothing"}`, () => {
    expect(nearest(written, NAMES)).toBe(meant);
  });
}
