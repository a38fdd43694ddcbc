import { expect, test } from "bun:test";
import {
  mustBeRoot,
  mustRun,
  SystemdError,
  thisMachine,
} from "../../../src/cli/systemd/machine.ts";
import { openMachine } from "../../support/machine.ts";

test("only root may change this machine, and anybody stage files", () => {
  using opened = openMachine({ userId: 1000 });
  const { machine } = opened;
  const refused = error(() => mustBeRoot(machine, "install"));
  expect(refused.exitCode).toBe(77);
  expect(refused.fix).toContain("sudo inference-proxy systemd install");
  expect(() => mustBeRoot({ ...machine, userId: 0 }, "install")).not.toThrow();
  expect(() => mustBeRoot({ ...machine, run: null }, "install")).not.toThrow();
});

test("a staging folder runs nothing", () => {
  expect(thisMachine("/somewhere/else", () => {}).run).toBeNull();
});

test("this machine runs programs, and tells one that fails from one that it lacks", () => {
  const { run } = thisMachine("/", () => {});
  expect(run?.(["sh", "-c", "echo out; echo err >&2; exit 3"])).toEqual({
    exitCode: 3,
    output: "out\nerr\n",
  });
  expect(run?.(["no-such-program-anywhere"])).toBeNull();
});

test("a program that must succeed says why it did not", () => {
  const fails = error(() =>
    mustRun(() => ({ exitCode: 1, output: "a\nwhy\n" }), ["a", "b"], "fix"),
  );
  expect(fails.message).toBe('Cannot run "a b": why');
  expect(fails.fix).toBe("fix");
  expect(error(() => mustRun(() => null, ["a"], "")).message).toContain("no such program");
  const silent = error(() => mustRun(() => ({ exitCode: 1, output: "" }), ["a"], ""));
  expect(silent.message).toContain("it says nothing");
});

function error(run: () => void): SystemdError {
  try {
    run();
  } catch (caught) {
    if (caught instanceof SystemdError) return caught;
  }
  throw new Error("Expected a SystemdError");
}
