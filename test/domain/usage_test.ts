import { expect, test } from "bun:test";
import { NO_USAGE, totalTokens } from "../../src/domain/usage.ts";

test("no usage is zero of everything", () => {
  expect(Object.values(NO_USAGE)).toEqual(Array.from({ length: 8 }, () => 0));
  expect(totalTokens(NO_USAGE)).toBe(0);
});

test("the total is input plus output: what is part of them is not counted twice", () => {
  const usage = {
    inputTokens: 100,
    cacheReadTokens: 40,
    cacheWriteTokens: 30,
    cacheWrite1hTokens: 20,
    inputAudioTokens: 5,
    outputTokens: 11,
    reasoningTokens: 7,
    outputAudioTokens: 3,
  };
  expect(totalTokens(usage)).toBe(111);
});
