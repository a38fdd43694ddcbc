import { describe, expect, test } from "bun:test";
import { memoryMaxBytes } from "../../src/std/memory_limit.ts";

const SERVICE = "/system.slice/inference-proxy.service";

/** Returns what the files say, by path. */
function read(files: Readonly<Record<string, string>>): number | null {
  return memoryMaxBytes((path) => files[path] ?? null);
}

describe("memoryMaxBytes()", () => {
  test("is what a service manager set for the service", () => {
    const files = {
      "/proc/self/cgroup": `0::${SERVICE}\n`,
      [`/sys/fs/cgroup${SERVICE}/memory.max`]: "536870912\n",
      "/sys/fs/cgroup/system.slice/memory.max": "max\n",
    };
    expect(read(files)).toBe(512 * 1024 * 1024);
  });

  test("is what is set for all that hold it, if that is less", () => {
    const files = {
      "/proc/self/cgroup": `0::${SERVICE}\n`,
      [`/sys/fs/cgroup${SERVICE}/memory.max`]: "536870912\n",
      "/sys/fs/cgroup/system.slice/memory.max": "1048576\n",
    };
    expect(read(files)).toBe(1_048_576);
  });

  test("is what a container may use, which sees itself at the root", () => {
    const files = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "268435456\n" };
    expect(read(files)).toBe(268_435_456);
  });

  test("is found beside the groups of an older kernel", () => {
    const files = {
      "/proc/self/cgroup": "4:memory:/x\n1:name=systemd:/x\n0::/init.scope\n",
      "/sys/fs/cgroup/init.scope/memory.max": "1000\n",
    };
    expect(read(files)).toBe(1000);
  });

  test.each([
    ["nothing says so", {}],
    ["there are no groups", { "/proc/self/cgroup": "4:memory:/x\n" }],
    ["it is max", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" }],
    ["it is unreadable", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "" }],
  ])("is null if %s", (_, files) => {
    expect(read(files)).toBeNull();
  });
});
