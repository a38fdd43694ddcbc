/** A kind of machine that a release is built for. */
export interface Target {
  /** As it stands in the names of files. */
  readonly name: string;
  /** What the compiler calls it. */
  readonly compileAs: string;
  /** The package that holds the runtime. */
  readonly runtime: string;
  /** Which processor the executable is for, in the numbers of ELF. */
  readonly machine: number;
  /** The loader that the kernel starts the executable with: glibc's or musl's. */
  readonly interpreter: string;
}

const X86_64 = 62;
const AARCH64 = 183;

/**
 * Every kind of machine. One program serves every processor of x64 that has SSE4.2: the runtime finds out when it
 * starts whether there is AVX2.
 */
export const TARGETS: readonly Target[] = [
  {
    name: "linux-x64",
    compileAs: "bun-linux-x64",
    runtime: "@oven/bun-linux-x64",
    machine: X86_64,
    interpreter: "/lib64/ld-linux-x86-64.so.2",
  },
  {
    name: "linux-arm64",
    compileAs: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    machine: AARCH64,
    interpreter: "/lib/ld-linux-aarch64.so.1",
  },
  {
    name: "linux-x64-musl",
    compileAs: "bun-linux-x64-musl",
    runtime: "@oven/bun-linux-x64-musl",
    machine: X86_64,
    interpreter: "/lib/ld-musl-x86_64.so.1",
  },
  {
    name: "linux-arm64-musl",
    compileAs: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    machine: AARCH64,
    interpreter: "/lib/ld-musl-aarch64.so.1",
  },
];
