import { expect, test } from "bun:test";
import { FlagError, type FlagKind, readCommandLine, readFlags } from "../../src/std/flags.ts";

const KNOWN: Record<string, FlagKind> = {
  "--listen": "value",
  "--allow": "values",
  "--once": "switch",
};

test("flags are read with a space or an equals sign", () => {
  const given = readFlags(["--listen", "a", "--allow=x", "--allow", "y=z", "--once"], KNOWN);
  expect([...given]).toEqual([
    ["--listen", ["a"]],
    ["--allow", ["x", "y=z"]],
    ["--once", [""]],
  ]);
});

test("of a flag that takes one value the last counts", () => {
  expect(readFlags(["--listen", "a", "--listen", "b"], KNOWN).get("--listen")).toEqual(["b"]);
});

test("words are read around flags, and everything after two dashes is a word", () => {
  const { words, flags } = readCommandLine(["a", "--once", "-", "b", "--", "--listen"], KNOWN);
  expect(words).toEqual(["a", "-", "b", "--listen"]);
  expect([...flags.keys()]).toEqual(["--once"]);
});

const BAD = [
  { argv: ["--lisen", "a"], message: "unknown flag --lisen", fix: "did you mean --listen?" },
  { argv: ["--listen"], message: "its value is missing", fix: "write --listen VALUE" },
  { argv: ["--listen", "--once"], message: "its value is missing", fix: "write --listen VALUE" },
  { argv: ["--once=yes"], message: "it takes no value", fix: "write --once alone" },
  { argv: ["stray"], message: 'unexpected word "stray"', fix: "see --help for what there is" },
  { argv: ["--toString"], message: "unknown flag --toString", fix: "see --help for what there is" },
];

for (const { argv, message, fix } of BAD) {
  test(`"${argv.join(" ")}" is refused with what to write instead`, () => {
    const error = refusal(() => readFlags(argv, KNOWN));
    expect(error.message).toContain(message);
    expect(error.fix).toBe(fix);
  });
}

function refusal(run: () => unknown): FlagError {
  try {
    run();
  } catch (error) {
    if (error instanceof FlagError) return error;
    throw error;
  }
  throw new Error("Expected a FlagError");
}
