import { expect, test } from "bun:test";
import fc from "fast-check";
import { isJsonObject, type JsonObject } from "../../src/std/json.ts";
import { messageOfStream } from "../../src/wire/anthropic_aggregate.ts";
import { wholeAnswer } from "../../src/wire/anthropic_to_openai.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";
import { answer, eventsOf, eventStream, PLAIN_FORM } from "./anthropic_answers.ts";

test("a streamed message is answered like the same message whole", () => {
  fc.assert(
    fc.property(answer, fc.integer({ min: 1, max: 7 }), (message, pieceChars) => {
      const stream = eventStream(eventsOf(message, pieceChars));
      const whole = wholeAnswer(JSON.stringify(message), PLAIN_FORM);
      expect(wholeAnswer(stream, PLAIN_FORM)).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test("every stream cut before its end is a fault", () => {
  const message: JsonObject = {
    model: "m",
    content: [{ type: "text", text: "Hi" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  const stream = eventStream(eventsOf(message, 1));
  for (let end = 0; end < stream.length - 1; end += 1) {
    expect(() => messageOfStream(stream.slice(0, end))).toThrow(UpstreamFault);
  }
  expect(messageOfStream(stream)["content"]).toEqual([{ type: "text", text: "Hi" }]);
});

test("input that was cut off is kept as it was written", () => {
  const events = eventsOf({ content: [], stop_reason: "max_tokens" }, 1);
  events.splice(
    1,
    0,
    {
      type: "content_block_start",
      index: 0,
      content_block: { type: "tool_use", id: "toolu_1", name: "f", input: {} },
    },
    {
      type: "content_block_delta",
      index: 0,
      delta: { type: "input_json_delta", partial_json: '{"a": "b' },
    },
  );
  const { clientBody } = wholeAnswer(eventStream(events), PLAIN_FORM);
  const parsed: unknown = JSON.parse(clientBody);
  expect(isJsonObject(parsed) ? JSON.stringify(parsed["choices"]) : "").toContain(
    '"arguments":"{\\"a\\": \\"b"',
  );
});

test("a text that is no stream is a fault", () => {
  for (const text of ["", "<html>", "x".repeat(3 << 20), "data: 7\n\n", ": ping\n\n"]) {
    expect(() => messageOfStream(text)).toThrow(UpstreamFault);
  }
});
