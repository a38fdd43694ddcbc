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

/** Returns a chunk as the event that brings it. */
const eventOf = (text: string) => Buffer.from(`data: ${text}\n\n`);

/** What a chunk is sent on as, and the bytes of its text; null if it is of another shape. */
type Edited = readonly [event: string, contentBytes: number] | null;

/** Edits a chunk as text and as bytes. */
function editBoth(template: ChunkTemplate | null, text: string): Edited {
  const asText = template?.edit(text) ?? null;
  const edited = asText === null ? null : ([asText, template?.contentBytes ?? -1] as const);
  expect(editBytes(template, eventOf(text))).toEqual(edited);
  return edited;
}

function editBytes(template: ChunkTemplate | null, event: Uint8Array): Edited {
  const edited = template?.editBytes(event) ?? null;
  return edited && [Buffer.from(edited).toString(), template?.contentBytes ?? -1];
}

test("a chunk of the learned shape is edited as the first one was", () => {
  const template = learn(chunk({ content: "a" }));
  for (const content of [" hello", "", "b", " hallo", "caf\u00e9 \u{1f600}", "z".repeat(3000)]) {
    const next = chunk({ content });
    expect(editBoth(template, next)).toEqual([edit(next), Buffer.byteLength(content)]);
  }
});

test("padding that differs from chunk to chunk is no other shape", () => {
  const template = learn(chunk({ content: "a" }, { obfuscation: "xK9" }));
  for (const [content, obfuscation] of [
    [" hello", "aaaaaaQ"],
    [" hell", "aaaaaaQo"],
    ["", ""],
    [" hello", "aaaaaaQ"],
  ] as const) {
    const next = chunk({ content }, { obfuscation });
    expect(editBoth(template, next)).toEqual([edit(next), content.length]);
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
  ];
  expect(others.map((text) => editBoth(template, text))).toEqual(others.map(() => null));
});

test("bytes that are no text are not passed on as if they were", () => {
  const template = learn(chunk({ content: "a" }));
  const event = eventOf(chunk({ content: "\u00e9" }));
  expect(editBytes(template, event)).not.toBeNull();
  event[event.indexOf(0xc3)] = 0xff;
  expect(editBytes(template, event)).toBeNull();
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

test("what is edited is the JSON that parsing and editing would have given", () => {
  const texts = fc.string({
    unit: fc.constantFrom("a", "\\", '"', "\n", "}", ",", "\u007f", "\u00e9", "\ud800", "c"),
  });
  fc.assert(
    fc.property(texts, texts, fc.boolean(), (first, second, padded) => {
      const template = learn(chunk({ content: first }, padded ? { obfuscation: first } : {}));
      const next = chunk({ content: second }, padded ? { obfuscation: second } : {});
      const isPlain = /^[^"\\\n\ud800]*$/.test(second);
      expect(editBoth(template, next)).toEqual(
        template !== null && isPlain ? [edit(next), Buffer.byteLength(second)] : null,
      );
    }),
  );
});

test("bytes are not mistaken for the characters that have their numbers", () => {
  const template = learn(chunk({ content: "a" }, { id: "\u00c3\u00a9" }));
  expect(editBoth(template, chunk({ content: "b" }, { id: "\u00e9" }))).toBeNull();
  const next = chunk({ content: "b" }, { id: "\u00c3\u00a9" });
  expect(editBoth(template, next)).toEqual([edit(next), 1]);
});

test("of an event that is cut anywhere, or does not come alone, nothing is known", () => {
  const text = chunk({ content: "a" });
  const shorter = ChunkTemplate.learn(
    JSON.parse(text),
    text,
    edit(text).replace(',"usage":null', ""),
  );
  const event = eventOf(chunk({ content: " hello" }));
  expect(editBytes(shorter, event)).not.toBeNull();
  for (let length = 0; length < event.length; length += 1) {
    expect(editBytes(shorter, event.subarray(0, length))).toBeNull();
    expect(editBytes(shorter, event.subarray(length + 1))).toBeNull();
  }
  expect(editBytes(shorter, Buffer.concat([event, event]))).toBeNull();
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
