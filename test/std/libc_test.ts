import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { libcOf, libcPath } from "../../src/std/libc.ts";

test("this process runs on a C library, which is a file", () => {
  expect(existsSync(libcPath() ?? "none")).toBe(true);
});

const LINES: [string, string | null][] = [
  ["/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"],
  ["/lib64/libc-2.28.so", "/lib64/libc-2.28.so"],
  ["/lib/ld-musl-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"],
  ["/usr/lib/libcap.so.2", null],
  ["/tmp/libc.so.6 (deleted)", null],
  ["libc.so.6", null],
];

for (const [path, expected] of LINES) {
  test(`${path} is ${expected === null ? "none" : "one"}`, () => {
    const range = (bytes: string) => `7fd9e4660000-7fd9e4686000 r--p 00000000 fe:00 32 ${bytes}`;
    expect(libcOf([range("/usr/bin/program"), range(path), range("[stack]")].join("\n"))).toBe(
      expected,
    );
  });
}
