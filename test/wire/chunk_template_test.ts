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

/** Returns chunks as the events that bring them. */
function eventsOf(...texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `data: ${text}\n\n`).join(""));
}

/** Returns what chunks are sent on as, and the bytes of their text; null if they are of another shape. */
function match(template: ChunkTemplate | null, events: Uint8Array): [string, number] | null {
  const edited = template?.match(events) ?? null;
  return edited === null || template === null
    ? null
    : [Buffer.from(edited).toString(), template.contentBytes];
}

test("a chunk of the learned shape is edited as the first one was", () => {
  const template = learn(chunk({ content: "a" }));
  for (const content of [" hello", "", "b", " hallo", "caf\u00e9 \u{1f600}", "z".repeat(3000)]) {
    const next = chunk({ content });
    expect(match(template, eventsOf(next))).toEqual([edit(next), Buffer.byteLength(content)]);
  }
});

test("padding that differs from chunk to chunk is no other shape", () => {
  const template = learn(chunk({ content: "a" }, { obfuscation: "xK9" }));
  for (const [content, obfuscation] of [
    [" hello", "aaaaaaQ"],
    [" hell", "aaaaaaQo"],
    ["", ""],
    [" hello", "aaaaaaQ"],
  ]) {
    const next = chunk({ content }, { obfuscation });
    expect(match(template, eventsOf(next))).toEqual([edit(next), Buffer.byteLength(content ?? "")]);
  }
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
    chunk({ content: "a" }).replace('"a"', '"\u0001"'),
    "",
    "{}",
  ].map((text) => eventsOf(text));
  expect(others.map((events) => match(template, events))).toEqual(others.map(() => null));
});

test("what is no text is not passed on as if it were", () => {
  const template = learn(chunk({ content: "a" }));
  const event = eventsOf(chunk({ content: "\u00e9" }));
  expect(match(template, event)).not.toBeNull();
  event[event.indexOf(0xc3)] = 0xff;
  expect(match(template, event)).toBeNull();
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
  const texts = fc.string({
    unit: fc.constantFrom("a", "\\", '"', "\n", "}", ",", "\u007f", "\u00e9", "\ud800", "c"),
  });
  fc.assert(
    fc.property(texts, fc.array(texts, { minLength: 1 }), fc.boolean(), (first, others, padded) => {
      const extraOf = (text: string) => (padded ? { obfuscation: text } : {});
      const template = learn(chunk({ content: first }, extraOf(first)));
      const next = others.map((content) => chunk({ content }, extraOf(content)));
      const matched = match(template, eventsOf(...next));
      const isPlain = others.every((content) => /^[^"\\\n\ud800]*$/.test(content));
      expect(matched !== null).toBe(template !== null && isPlain);
      if (matched === null) return;
      expect(matched).toEqual([next.map(edit).join(""), Buffer.byteLength(others.join(""))]);
    }),
  );
});

test("bytes are not mistaken for the characters that have their numbers", () => {
  const template = learn(chunk({ content: "a" }, { id: "\u00c3\u00a9" }));
  expect(match(template, eventsOf(chunk({ content: "b" }, { id: "\u00e9" })))).toBeNull();
  const next = chunk({ content: "b" }, { id: "\u00c3\u00a9" });
  expect(match(template, eventsOf(next))).toEqual([edit(next), 1]);
});

test("of an event that is cut anywhere nothing is known, whatever stands before it", () => {
  const text = chunk({ content: "a" });
  const shorter = ChunkTemplate.learn(
    JSON.parse(text),
    text,
    edit(text).replace(',"usage":null', ""),
  );
  const event = eventsOf(chunk({ content: " hello" }));
  expect(match(shorter, event)).not.toBeNull();
  for (let length = 1; length < event.length; length += 1) {
    expect(match(shorter, event.subarray(0, length))).toBeNull();
    expect(match(shorter, event.subarray(length))).toBeNull();
    expect(match(shorter, Buffer.concat([event, event.subarray(0, length)]))).toBeNull();
  }
  expect(match(shorter, new Uint8Array())).toBeNull();
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
