import { expect, test } from "bun:test";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { toOpenAiUsage } from "../../src/wire/openai_usage.ts";
import { addsUp, readOpenAiUsage } from "../../src/wire/read_openai_usage.ts";

const USAGE = {
  ...NO_USAGE,
  inputTokens: 100,
  cacheReadTokens: 60,
  cacheWriteTokens: 30,
  inputAudioTokens: 10,
  outputTokens: 50,
  reasoningTokens: 40,
  outputAudioTokens: 5,
};

test("usage is written with both detail objects, and a total that is the sum", () => {
  expect(toOpenAiUsage(USAGE)).toEqual({
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30, audio_tokens: 10 },
    completion_tokens_details: {
      reasoning_tokens: 40,
      audio_tokens: 5,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  });
});

test("what is written is read as it was, and adds up", () => {
  for (const usage of [USAGE, NO_USAGE]) {
    expect(readOpenAiUsage(toOpenAiUsage(usage))).toEqual(usage);
    expect(addsUp(toOpenAiUsage(usage))).toBe(true);
  }
});
