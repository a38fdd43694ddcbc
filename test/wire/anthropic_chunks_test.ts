import { expect, test } from "bun:test";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { ChunkWriter } from "../../src/wire/anthropic_chunks.ts";
import { toOpenAiUsage } from "../../src/wire/openai_usage.ts";
import { PLAIN_FORM } from "./anthropic_answers.ts";

const USAGE = { ...NO_USAGE, inputTokens: 3, outputTokens: 2 };
const FRAME = {
  id: "chatcmpl-call0",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: 'anthropic/"odd"\n',
};
const FORM = { ...PLAIN_FORM, model: FRAME.model };

function read(text: string): unknown[] {
  expect(text.endsWith("\n\n")).toBe(true);
  return text
    .slice(0, -2)
    .split("\n\n")
    .map((event) => JSON.parse(event.replace(/^data: /, "")));
}

test("a chunk is one event, whatever its text", () => {
  const text = 'line\nnext\r "quoted" \u2028 \ud800';
  expect(read(new ChunkWriter(FORM).text("content", text))).toEqual([
    { ...FRAME, choices: [{ index: 0, delta: { content: text }, finish_reason: null }] },
  ]);
});

test("without usage asked for, the finish chunk carries it and no other has the member", () => {
  const chunks = new ChunkWriter(FORM);
  expect(read(chunks.delta({ role: "assistant" }))).toEqual([
    { ...FRAME, choices: [{ index: 0, delta: { role: "assistant" }, finish_reason: null }] },
  ]);
  expect(read(chunks.finish("stop", USAGE))).toEqual([
    {
      ...FRAME,
      choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
      usage: toOpenAiUsage(USAGE),
    },
  ]);
});

test("with usage asked for, it has a chunk of its own and is null on all others", () => {
  const chunks = new ChunkWriter({ ...FORM, includeUsage: true });
  expect(read(chunks.text("refusal", "No."))).toEqual([
    {
      ...FRAME,
      choices: [{ index: 0, delta: { refusal: "No." }, finish_reason: null }],
      usage: null,
    },
  ]);
  expect(read(chunks.finish("length", USAGE))).toEqual([
    { ...FRAME, choices: [{ index: 0, delta: {}, finish_reason: "length" }], usage: null },
    { ...FRAME, choices: [], usage: toOpenAiUsage(USAGE) },
  ]);
});
