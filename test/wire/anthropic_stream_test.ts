import { expect, spyOn, test } from "bun:test";
import { fullGC, heapSize } from "bun:jsc";
import fc from "fast-check";
import { NO_USAGE } from "../../src/domain/usage.ts";
import type { Json, JsonObject } from "../../src/std/json.ts";
import { SseParser } from "../../src/std/sse.ts";
import {
  AnthropicStream,
  MAX_KEPT_THINKING_CHARS,
  MAX_OPEN_BLOCKS,
} from "../../src/wire/anthropic_stream.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";
import { answer, asText, eventsOf, eventStream, PLAIN_FORM } from "./anthropic_answers.ts";

const START: JsonObject = {
  type: "message_start",
  message: { model: "m", content: [], usage: { input_tokens: 1, output_tokens: 1 } },
};
const STOP: JsonObject = { type: "message_stop" };

/** Events that are nearly right: known types with strange members. */
const strangeEvent = fc
  .record<JsonObject>(
    {
      type: fc.constantFrom<Json>(
        ..."message_start content_block_start content_block_delta content_block_stop".split(" "),
        ..."message_delta ping surprise".split(" "),
        7,
        null,
      ),
      index: fc.oneof(fc.nat({ max: 3 }), fc.constantFrom<Json>(null, "0", -1, {}, [])),
      message: fc.constantFrom<Json>(null, {}, { content: [{ type: "text", text: "x" }, 7] }, []),
      content_block: fc.constantFrom<Json>(
        null,
        { type: "text" },
        { type: "text", text: 7 },
        { type: "thinking", thinking: "x" },
        { type: "redacted_thinking" },
        { type: "tool_use" },
        { type: "tool_use", id: "t", name: "f", input: { a: 1 } },
      ),
      delta: fc.constantFrom<Json>(
        null,
        { type: "text_delta", text: "x" },
        { type: "text_delta", text: null },
        { type: "input_json_delta", partial_json: "{" },
        { type: "thinking_delta", thinking: "x" },
        { type: "signature_delta", signature: "s" },
        { stop_reason: "end_turn" },
        { stop_reason: 7, stop_details: 7 },
      ),
      usage: fc.constantFrom<Json>(null, {}, { output_tokens: 3 }, { output_tokens: "3" }, []),
    },
    { requiredKeys: ["type"] },
  )
  .map((event) => [event]);

const eventList = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: strangeEvent },
      answer.map((message) => eventsOf(message, 3)),
      fc.constantFrom([START], [START], [STOP]),
    ),
    { maxLength: 12 },
  )
  .map((lists) => lists.flat());

/** Feeds a stream and returns all that came out; faults and over-long events end it. */
function run(stream: AnthropicStream, pieces: readonly Uint8Array[]): string {
  const parser = new SseParser(1 << 16);
  let text = "";
  try {
    for (const piece of pieces) {
      for (const event of parser.push(piece)) text += stream.push(event);
    }
    text += stream.end(() => NO_USAGE);
  } catch (error) {
    if (!(error instanceof UpstreamFault || error instanceof RangeError)) throw error;
  }
  return text;
}

test("any bytes give whole events, or a fault of the upstream", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (pieces) => {
      expect(run(new AnthropicStream(PLAIN_FORM), pieces)).toMatch(/^(: ping\n\n|data: .+\n\n)*$/);
    }),
    { numRuns: 300 },
  );
});

test("any events give chunks that a client can follow, or a fault of the upstream", () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(eventList, fc.boolean(), (events, functionCall) => {
      const stream = new AnthropicStream({ ...PLAIN_FORM, functionCall });
      const text = run(stream, [encoder.encode(eventStream(events))]);
      expectSound(text, stream);
    }),
    { numRuns: 250 },
  );
});

/** Demands what clients rely on: one role, tools in a row from 0, at most one finish, [DONE] only after it. */
function expectSound(text: string, stream: AnthropicStream): void {
  let tools = 0;
  const lines = text.split("\n").filter((line) => line.startsWith("data: {"));
  const chunks = lines.map((line) => JSON.parse(line.slice(6)));
  for (const [at, chunk] of chunks.entries()) {
    const { delta, finish_reason: reason } = chunk.choices[0];
    expect(delta.role === "assistant").toBe(at === 0);
    expect(reason !== null).toBe(stream.done && at === chunks.length - 1);
    for (const call of delta.tool_calls ?? []) {
      const isFirst = "id" in call;
      expect("name" in call.function && "type" in call).toBe(isFirst);
      if (isFirst) expect(call.index).toBe(tools);
      else expect(call.index).toBeLessThan(tools);
      if (isFirst) tools += 1;
    }
  }
  expect(text.endsWith("data: [DONE]\n\n")).toBe(stream.done);
  expect(text.includes("[DONE]")).toBe(stream.done);
}

test("the text of an answer is not kept", () => {
  const stream = new AnthropicStream({ ...PLAIN_FORM, thinkingBlocks: false });
  push(stream, START);
  push(stream, { type: "content_block_start", index: 0, content_block: { type: "text" } });
  push(stream, { type: "content_block_start", index: 1, content_block: { type: "thinking" } });
  push(stream, {
    type: "content_block_start",
    index: 2,
    content_block: { type: "tool_use", id: "t", name: "f", input: {} },
  });
  const feed = (deltas: number): void => {
    for (let at = 0; at < deltas; at += 1) {
      const part = `${at} `.repeat(400);
      delta(stream, 0, { type: "text_delta", text: part });
      delta(stream, 1, { type: "thinking_delta", thinking: part });
      delta(stream, 2, { type: "input_json_delta", partial_json: part });
    }
  };
  feed(100);
  fullGC();
  const before = heapSize();
  feed(1500);
  fullGC();
  // What passed is 9 million characters.
  expect(stream.outputBytes).toBeGreaterThan(8_000_000);
  expect(heapSize() - before).toBeLessThan(2_000_000);
  expect(stream.keptChars).toBe(0);
});

test("thinking is kept up to a bound, and beyond it no block is given out", () => {
  const think = (deltas: number): { kept: number; text: string } => {
    const stream = new AnthropicStream(PLAIN_FORM);
    push(stream, START);
    push(stream, { type: "content_block_start", index: 0, content_block: { type: "thinking" } });
    const part = "x".repeat(1 << 14);
    for (let at = 0; at < deltas; at += 1) {
      delta(stream, 0, { type: "thinking_delta", thinking: part });
    }
    delta(stream, 0, { type: "signature_delta", signature: "EqQB" });
    push(stream, { type: "content_block_stop", index: 0 });
    push(stream, STOP);
    return { kept: stream.keptChars, text: stream.end(() => NO_USAGE) };
  };
  const few = think(10);
  expect(few.kept).toBeLessThan(MAX_KEPT_THINKING_CHARS);
  expect(few.text).toContain("thinking_blocks");
  expect(think(100).text).not.toContain("thinking_blocks");
});

test("more open blocks than the wire ever has are a fault", () => {
  const stream = new AnthropicStream(PLAIN_FORM);
  push(stream, START);
  const open = (index: number): string =>
    push(stream, { type: "content_block_start", index, content_block: { type: "text" } });
  for (let index = 0; index < MAX_OPEN_BLOCKS; index += 1) open(index);
  expect(() => open(MAX_OPEN_BLOCKS)).toThrow(UpstreamFault);
});

test("the work grows with the length of a stream, not faster", () => {
  const short = charsOfWork(500);
  const long = charsOfWork(5000);
  expect(long / short).toBeLessThan(10.5);
});

/** Counts the characters that are parsed and written as JSON while a stream of this many deltas passes. */
function charsOfWork(deltas: number): number {
  let chars = 0;
  const { parse, stringify } = JSON;
  const parsing = spyOn(JSON, "parse").mockImplementation((text) => {
    chars += text.length;
    return parse(text);
  });
  const writing = spyOn(JSON, "stringify").mockImplementation((value: unknown) => {
    const text = stringify(value);
    chars += text.length;
    return text;
  });
  try {
    const stream = new AnthropicStream(PLAIN_FORM);
    const text = "x".repeat(deltas * 8);
    const blocks: JsonObject[] = ["text", "thinking"].map((type) => {
      return { type, [type]: text, signature: "EqQB" };
    });
    const events = eventsOf({ model: "m", content: blocks, stop_reason: "end_turn" }, 8);
    const texts = events.map((event) => stringify(event));
    chars = 0;
    for (const data of texts) stream.push({ name: "", data });
    stream.end(() => NO_USAGE);
  } finally {
    parsing.mockRestore();
    writing.mockRestore();
  }
  return chars;
}

function push(stream: AnthropicStream, event: JsonObject): string {
  return stream.push({ name: asText(event["type"]), data: JSON.stringify(event) });
}

function delta(stream: AnthropicStream, index: number, part: JsonObject): string {
  return push(stream, { type: "content_block_delta", index, delta: part });
}
