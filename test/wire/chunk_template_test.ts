import { expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonObject } from "../../src/std/json.ts";
import { scanObject } from "../../src/std/json_text.ts";
import { ChunkTemplate } from "../../src/wire/chunk_template.ts";
import { OpenAiStream } from "../../src/wire/openai_stream.ts";

function chunk(delta: JsonObject, extra: JsonObject = {}, index = 0): string {
  const choices = [{ index, delta, logprobs: null, finish_reason: null }];
  return JSON.stringify({ id: "c1", model: "m", choices, usage: null, ...extra });
}

function edit(text: string): string {
  return `data: ${text.replace('"model":"m"', '"model":"p/m"')}\n\n`;
}

function learn(text: string): ChunkTemplate | null {
  return ChunkTemplate.learn(JSON.parse(text), text, edit(text));
}

test("a chunk of the learned shape is edited as the first one was", () => {
  const template = learn(chunk({ content: "a" }));
  const next = chunk({ content: " hello" });
  expect(template?.match(next)).toEqual({ edited: edit(next), contentBytes: 6 });
});

test("padding that differs from chunk to chunk is no other shape", () => {
  const template = learn(chunk({ content: "a" }, { obfuscation: "xK9" }));
  const next = chunk({ content: " hello" }, { obfuscation: "aaaaaaQ" });
  expect(template?.match(next)).toEqual({ edited: edit(next), contentBytes: 6 });
});

test("any other chunk is not of the shape", () => {
  const template = learn(chunk({ content: "a" }));
  const others = [
    chunk({ content: 'a"b' }),
    chunk({ content: "a\\" }),
    chunk({ content: "a\n" }),
    chunk({ content: "a" }, {}, 1),
    chunk({ content: "a", role: "assistant" }),
    chunk({ refusal: "a" }),
    chunk({ content: "a" }, { usage: { prompt_tokens: 1 } }),
    chunk({ content: "a" }, { id: "c2" }),
    chunk({ content: "a" }, { error: { message: "b" } }),
    chunk({ content: "a" }).replace('"a"', '"a","finish_reason":"stop"'),
    "",
    "{}",
  ];
  expect(others.map((text) => template?.match(text) ?? null)).toEqual(others.map(() => null));
});

test("nothing is learned where it is not certain which text is the content", () => {
  const unclear = [
    chunk({ content: "a", role: "assistant" }),
    chunk({ content: "a" }, { metadata: { content: "a" } }),
    chunk({ content: "a" }, { usage: { prompt_tokens: 1 } }),
    chunk({ content: "a" }).replace('"a"', '"\\u0061"'),
    chunk({ content: null }),
  ];
  expect(unclear.map(learn)).toEqual(unclear.map(() => null));
});

test("whatever matches is the JSON that parsing and editing would have given", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", "\\", '"', "\n", "}", ",", "\u00e9", "c") });
  fc.assert(
    fc.property(texts, texts, fc.boolean(), (first, second, padded) => {
      const extra = padded ? { obfuscation: first } : {};
      const template = learn(chunk({ content: first }, extra));
      const next = chunk({ content: second }, padded ? { obfuscation: second } : {});
      const match = template?.match(next) ?? null;
      if (match === null) return;
      expect(match.edited).toBe(edit(next));
      expect(match.contentBytes).toBe(Buffer.byteLength(second));
    }),
  );
});

/** Returns a chunk as the event that brings it. */
const eventOf = (text: string) => Buffer.from(`data: ${text}\n\n`);

test("as bytes a chunk is edited as it is as text, if its text is plain ASCII", () => {
  const texts = fc.string({
    unit: fc.constantFrom("a", "\\", '"', "\n", "}", "\u007f", "\u00e9", "c"),
  });
  fc.assert(
    fc.property(texts, texts, fc.boolean(), (first, second, padded) => {
      const extra = padded ? { obfuscation: first } : {};
      const template = learn(chunk({ content: first }, extra));
      const next = chunk({ content: second }, padded ? { obfuscation: second } : {});
      const asText = template?.match(next) ?? null;
      const asBytes = template?.matchBytes(eventOf(next)) ?? null;
      const isAscii = /^[\x20-\x7e]*$/.test(second);
      expect(asBytes !== null).toBe(asText !== null && isAscii);
      if (asBytes === null || asText === null) return;
      expect(asBytes.edited).toBe(asText.edited);
      expect(asBytes.contentBytes).toBe(asText.contentBytes);
    }),
  );
});

test("bytes are not mistaken for the characters that have their numbers", () => {
  const template = learn(chunk({ content: "a" }, { id: "\u00c3\u00a9" }));
  expect(template?.matchBytes(eventOf(chunk({ content: "b" }, { id: "\u00e9" })))).toBeNull();
  const next = chunk({ content: "b" }, { id: "\u00c3\u00a9" });
  expect(template?.matchBytes(eventOf(next))?.edited).toBe(edit(next));
});

test("of an event that is cut anywhere, or does not come alone, nothing is known", () => {
  const shorter = ChunkTemplate.learn(
    JSON.parse(chunk({ content: "a" })),
    chunk({ content: "a" }),
    edit(chunk({ content: "a" })).replace(',"usage":null', ""),
  );
  const event = eventOf(chunk({ content: " hello" }));
  expect(shorter?.matchBytes(event)).not.toBeNull();
  for (let length = 0; length < event.length; length += 1) {
    expect(shorter?.matchBytes(event.subarray(0, length))).toBeNull();
    expect(shorter?.matchBytes(event.subarray(length + 1))).toBeNull();
  }
  expect(shorter?.matchBytes(Buffer.concat([event, event]))).toBeNull();
});

test("a finish chunk that was held back is not learned as part of the next one", () => {
  const text = JSON.stringify({ model: "p/m", n: 2, messages: [] });
  const stream = new OpenAiStream(
    {
      text,
      body: JSON.parse(text),
      members: scanObject(text),
      requestedModel: "p/m",
      upstreamModel: "m",
      stream: true,
      includeUsage: false,
      callId: "call0",
      createdS: 0,
      pseudonym: (name) => name,
    },
    { asksForStreamUsage: true },
  );
  const finish = chunk({}).replace('"finish_reason":null', '"finish_reason":"stop"');
  stream.push({ name: "", data: finish });
  const released = stream.push({ name: "", data: chunk({ content: "a" }, {}, 1) });
  const later = stream.push({ name: "", data: chunk({ content: "b" }, {}, 1) });
  expect(released.split("data: ")).toHaveLength(3);
  expect(later.split("data: ")).toHaveLength(2);
});
