import { expect, test } from "bun:test";
import { azureOpenAiChunks } from "../../src/providers/azure_openai_chunks.ts";
import type { JsonObject } from "../../src/std/json.ts";

const HEAD = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 7, model: "gpt-4o" };
const NO_HEAD = { id: "", object: "", created: 0, model: "" };
const OFFSETS = { content_filter_results: {}, content_filter_offsets: { check_offset: 4 } };

function chunk(choice: JsonObject, head: JsonObject = HEAD): JsonObject {
  return { ...head, choices: [choice] };
}

const SWALLOWED: Record<string, JsonObject> = {
  "verdict on the prompt": { ...NO_HEAD, choices: [], prompt_filter_results: [] },
  "annotation without a delta": chunk({ index: 0, finish_reason: null, ...OFFSETS }, NO_HEAD),
  "annotation with an empty delta": chunk({ index: 0, delta: {}, finish_reason: null, ...OFFSETS }),
};

for (const [name, given] of Object.entries(SWALLOWED)) {
  test(`a ${name} is swallowed`, () => {
    expect(azureOpenAiChunks()(given)).toBeNull();
  });
}

test("a chunk that generates or ends is the very same object afterwards", () => {
  const rewrite = azureOpenAiChunks();
  for (const choice of [
    { index: 0, delta: { role: "assistant", content: "" }, finish_reason: null },
    { index: 0, delta: { content: "a" }, finish_reason: null, content_filter_results: {} },
    { index: 0, delta: {}, finish_reason: "stop", content_filter_results: {} },
  ]) {
    const given = chunk(choice);
    expect(rewrite(given)).toBe(given);
  }
});

test("usage and moderation are kept though they have no choices", () => {
  const rewrite = azureOpenAiChunks();
  const usage = { ...HEAD, choices: [], usage: { prompt_tokens: 1 } };
  expect(rewrite(usage)).toEqual(usage);
  const moderation = { ...HEAD, choices: [], moderation: {} };
  expect(rewrite(moderation)).toEqual(moderation);
});

test("the filter's own end gets a delta and the id of the stream", () => {
  const rewrite = azureOpenAiChunks();
  rewrite(chunk({ index: 0, delta: { content: "a" }, finish_reason: null }));
  const end = { index: 0, finish_reason: "content_filter", ...OFFSETS };
  expect(rewrite(chunk(end, NO_HEAD))).toEqual(chunk({ ...end, delta: {} }));
});

test("of several choices only the annotations go", () => {
  const said = { index: 1, delta: { content: "b" }, finish_reason: null };
  const given = { ...HEAD, choices: [{ index: 0, finish_reason: null, ...OFFSETS }, said] };
  expect(azureOpenAiChunks()(given)).toEqual({ ...HEAD, choices: [said] });
});
