import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { NO_USAGE } from "../../src/domain/usage.ts";
import type { JsonObject } from "../../src/std/json.ts";
import { type SseEvent, SseParser } from "../../src/std/sse.ts";
import type { OpenAiQuirks } from "../../src/wire/openai_quirks.ts";
import { DONE, OpenAiStream } from "../../src/wire/openai_stream.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";
import { clientRequest } from "../support/translate.ts";

const MODEL = "openai/gpt-5";
const ESTIMATE = { ...NO_USAGE, inputTokens: 1_000, outputTokens: 100 };
const REPORTED = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
const ERROR = '{"error":{"message":"Overloaded","type":"server_error","code":"busy"}}';

function openStream(includeUsage: boolean, quirks?: Partial<OpenAiQuirks>): OpenAiStream {
  const options = includeUsage ? ',"stream_options":{"include_usage":true}' : "";
  const request = clientRequest(`{"model":"${MODEL}","stream":true${options}}`);
  return new OpenAiStream(request, { asksForStreamUsage: true, ...quirks });
}

function chunk(members: JsonObject): string {
  return JSON.stringify({
    id: "c1",
    object: "chat.completion.chunk",
    created: 7,
    model: "gpt-5",
    ...members,
  });
}

const content = (text: string, index = 0, members: JsonObject = {}): string =>
  chunk({ choices: [{ index, delta: { content: text }, finish_reason: null }], ...members });
const finish = (index = 0, members: JsonObject = {}): string =>
  chunk({ choices: [{ index, delta: {}, finish_reason: "stop" }], ...members });
const usageChunk = (members: JsonObject = {}): string =>
  chunk({ choices: [], usage: REPORTED, ...members });

interface Told {
  /** What the client was sent, event by event. */
  readonly events: readonly SseEvent[];
  /** The chunks among them. */
  readonly chunks: readonly JsonObject[];
  readonly text: string;
  readonly fault: UpstreamFault | null;
  readonly stream: OpenAiStream;
}

/** Feeds a stream and takes its end; what the client was sent stands until the fault, if there is one. */
function tell(stream: OpenAiStream, upstream: readonly (string | SseEvent)[]): Told {
  let text = "";
  let fault: UpstreamFault | null = null;
  try {
    for (const event of upstream) {
      text += stream.push(typeof event === "string" ? { name: "", data: event } : event);
    }
    text += stream.end(() => ESTIMATE);
  } catch (error) {
    if (!(error instanceof UpstreamFault)) throw error;
    fault = error;
  }
  const events = new SseParser().push(new TextEncoder().encode(text));
  const chunks = events
    .filter(({ data }) => data !== DONE)
    .map(({ data }) => JSON.parse(data) as JsonObject);
  return { events, chunks, text, fault, stream };
}

const hasUsage = ({ usage }: JsonObject): boolean => usage !== undefined && usage !== null;
const choicesOf = ({ choices }: JsonObject): JsonObject[] => choices as JsonObject[];
const isFinish = (one: JsonObject): boolean =>
  choicesOf(one).some((choice) => Boolean(choice["finish_reason"]));
const contentOf = ({ chunks }: Told): string =>
  chunks
    .flatMap(choicesOf)
    .map((choice) => (choice["delta"] as JsonObject)["content"] ?? "")
    .join("");

/** What holds of every stream that is complete, whatever the provider sent. */
function expectComplete({ events, chunks, fault }: Told, asked: boolean): void {
  expect(fault).toBeNull();
  expect(events.map(({ data }) => data === DONE).indexOf(true)).toBe(events.length - 1);
  expect(chunks.map(({ model }) => model)).toEqual(chunks.map(() => MODEL));
  expect(chunks.filter(hasUsage)).toHaveLength(1);
  const terminal = chunks.at(-1) ?? {};
  expect(hasUsage(terminal)).toBe(true);
  if (asked) {
    expect(terminal["choices"]).toEqual([]);
    expect(chunks.slice(0, -1).map(({ usage }) => usage)).toEqual(chunks.slice(1).map(() => null));
  } else {
    expect(isFinish(terminal)).toBe(true);
    expect(chunks.slice(0, -1).filter((one) => "usage" in one)).toEqual([]);
    expect(chunks.filter((one) => choicesOf(one).length === 0)).toEqual([]);
  }
}

const USAGES = ["nowhere", "before the finish", "on the finish", "after the finish"] as const;
const FAILURES = ["never", "before the finish", "at the end"] as const;

interface Way {
  readonly finished: boolean;
  readonly done: boolean;
  readonly usage: (typeof USAGES)[number];
  readonly fails: (typeof FAILURES)[number];
  readonly asked: boolean;
}

const BOTH = [true, false];
const WAYS: readonly Way[] = BOTH.flatMap((asked) =>
  BOTH.flatMap((finished) =>
    BOTH.flatMap((done) =>
      USAGES.flatMap((usage) => FAILURES.map((fails) => ({ asked, finished, done, usage, fails }))),
    ),
  ),
).filter(({ finished, usage }) => finished || usage !== "on the finish");

function upstreamOf({ finished, done, usage, fails }: Way): string[] {
  const onFinish = usage === "on the finish" ? { usage: REPORTED } : { usage: null };
  return [
    content("Hel"),
    content("lo"),
    ...(usage === "before the finish" ? [usageChunk()] : []),
    ...(fails === "before the finish" ? [ERROR] : []),
    ...(finished ? [finish(0, onFinish)] : []),
    ...(usage === "after the finish" ? [usageChunk()] : []),
    ...(fails === "at the end" ? [ERROR] : []),
    ...(done ? [DONE] : []),
  ];
}

describe("a stream", () => {
  for (const way of WAYS) {
    const { finished, done, usage, fails, asked } = way;
    const name = [
      finished ? "with a finish" : "without a finish",
      done ? "with [DONE]" : "cut",
      `usage ${usage}${asked ? " and asked for" : ""}`,
      `failing ${fails}`,
    ].join(", ");
    const complete = fails === "never" && finished && (done || usage !== "nowhere");

    test(`${name}: ${complete ? "is complete" : "is a fault"}`, () => {
      const told = tell(openStream(asked), upstreamOf(way));
      expect(contentOf(told)).toBe("Hello");
      const reported =
        usage !== "nowhere" && !(fails === "before the finish" && usage !== "before the finish");
      expect(told.stream.usage).toEqual(
        reported ? { ...NO_USAGE, inputTokens: 9, outputTokens: 3 } : null,
      );
      if (complete) {
        expectComplete(told, asked);
        const shown = told.chunks.at(-1)?.["usage"];
        expect(shown).toMatchObject(
          reported
            ? REPORTED
            : { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
        );
        return;
      }
      expect(told.text).not.toContain(DONE);
      expect(told.fault?.interrupted).toBe(fails === "never");
      if (fails !== "never")
        expect(told.fault).toMatchObject({ message: "Overloaded", code: "busy" });
      // A finish is only ever one that the provider sent, and without usage none at all.
      if (!asked && usage !== "after the finish") expect(told.chunks.filter(isFinish)).toEqual([]);
    });
  }
});

for (const asked of BOTH) {
  describe(asked ? "a stream with usage asked for" : "a stream without usage asked for", () => {
    test("carries two choices that end at different times", () => {
      const upstream = [
        content("a", 0),
        content("x", 1),
        finish(0),
        content("y", 1),
        finish(1),
        usageChunk(),
        DONE,
      ];
      const told = tell(openStream(asked), upstream);
      expectComplete(told, asked);
      expect(contentOf(told)).toBe("axy");
      expect(told.chunks.filter(isFinish).map((one) => choicesOf(one)[0]?.["index"])).toEqual([
        0, 1,
      ]);
    });

    test("carries two choices that end together or one behind the other", () => {
      const both = chunk({
        choices: [0, 1].map((index) => ({ index, delta: {}, finish_reason: "stop" })),
      });
      for (const ends of [[both], [finish(0), finish(1)]]) {
        const told = tell(openStream(asked), [content("a"), ...ends, usageChunk(), DONE]);
        expectComplete(told, asked);
        expect(told.chunks.filter(isFinish)).toHaveLength(ends.length);
      }
    });

    test("carries tool calls as they are", () => {
      const deltas = [
        {
          tool_calls: [
            { index: 0, id: "call_1", type: "function", function: { name: "get", arguments: "" } },
          ],
        },
        { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] },
        { tool_calls: [{ index: 0, function: { arguments: "1}" } }] },
      ];
      const calls = deltas.map((delta) =>
        chunk({ choices: [{ index: 0, delta, finish_reason: null }] }),
      );
      const last = chunk({ choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] });
      const told = tell(openStream(asked), [...calls, last, usageChunk(), DONE]);
      expectComplete(told, asked);
      const sent = told.chunks.flatMap(choicesOf).map(({ delta }) => delta);
      expect(sent.slice(0, 3)).toEqual(deltas);
      expect(told.stream.outputBytes).toBe("get".length + '{"a":1}'.length);
    });

    test("leaves out chunks with empty choices that nobody asked for", () => {
      const empty = chunk({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
      const upstream = [empty, content("a"), empty, finish(), empty, usageChunk(), empty, DONE];
      const told = tell(openStream(asked), upstream);
      expectComplete(told, asked);
      expect(told.text).not.toContain("prompt_filter_results");
    });

    test("keeps a moderation chunk in its place, the beginning included", () => {
      const moderation = (at: string) => chunk({ choices: [], moderation: { at } });
      const upstream = [
        moderation("start"),
        content("a"),
        moderation("middle"),
        finish(),
        moderation("after finish"),
        usageChunk(),
        moderation("after usage"),
        DONE,
      ];
      const { chunks, fault } = tell(openStream(asked), upstream);
      expect(fault).toBeNull();
      const order = chunks.map((one) => {
        const { at } = (one["moderation"] ?? {}) as JsonObject;
        return at ?? (isFinish(one) ? "finish" : choicesOf(one).length === 0 ? "usage" : "content");
      });
      const after = asked ? ["after finish", "usage"] : ["after finish"];
      expect(order).toEqual(["start", "content", "middle", "finish", ...after, "after usage"]);
      expect(chunks.filter(hasUsage)).toHaveLength(1);
    });

    test("keeps a moderation chunk behind a finish that was not the last", () => {
      const moderation = chunk({ choices: [], moderation: {} });
      const told = tell(openStream(asked), [
        finish(0),
        moderation,
        content("b", 1),
        finish(1),
        usageChunk(),
        DONE,
      ]);
      const order = told.chunks.map((one) =>
        "moderation" in one ? "m" : isFinish(one) ? "f" : "c",
      );
      expect(order.slice(0, 4)).toEqual(["f", "m", "c", "f"]);
    });

    test("counts the last of several reports, and shows one", () => {
      const grown = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 };
      const upstream = [
        content("a", 0, { usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 } }),
        finish(0, { usage: REPORTED }),
        usageChunk({ usage: grown }),
        usageChunk({ usage: grown }),
        DONE,
      ];
      const told = tell(openStream(asked), upstream);
      expectComplete(told, asked);
      expect(told.chunks.at(-1)?.["usage"]).toEqual(grown);
      expect(told.stream.usage).toMatchObject({ outputTokens: 5 });
    });

    test("shows an estimate where the provider's usage cannot be read", () => {
      for (const usage of [{}, { prompt_tokens: "9" }, [1], "many"]) {
        const told = tell(openStream(asked), [content("a"), finish(), usageChunk({ usage }), DONE]);
        expectComplete(told, asked);
        expect(told.chunks.at(-1)?.["usage"]).toMatchObject({ total_tokens: 1_100 });
        expect(told.stream.usage).toBeNull();
      }
    });

    test("shows usage whose total is not the sum of its parts with one that is", () => {
      const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 99 };
      const told = tell(openStream(asked), [content("a"), finish(), usageChunk({ usage }), DONE]);
      expectComplete(told, asked);
      expect(told.chunks.at(-1)?.["usage"]).toMatchObject(REPORTED);
    });

    test("shows the provider's own usage with all its members", () => {
      const usage = { ...REPORTED, queue_time: 0.5, prompt_tokens_details: { cached_tokens: 4 } };
      const told = tell(openStream(asked), [content("a"), finish(), usageChunk({ usage }), DONE]);
      expect(told.chunks.at(-1)?.["usage"]).toEqual(usage);
      expect(told.stream.usage?.cacheReadTokens).toBe(4);
    });

    test("takes usage from a chunk that has no choices at all", () => {
      const bare = JSON.stringify({ usage: REPORTED });
      const told = tell(openStream(asked), [content("a"), finish(), bare, DONE]);
      expectComplete(told, asked);
      expect(told.chunks.at(-1)).toMatchObject({ id: "c1", created: 7, usage: REPORTED });
    });

    test("takes usage from an empty delta behind the finish", () => {
      for (const delta of [{}, { content: "" }]) {
        const report = chunk({ choices: [{ index: 0, delta }], usage: REPORTED });
        const told = tell(openStream(asked), [content("a"), finish(), report, DONE]);
        expectComplete(told, asked);
        expect(told.chunks).toHaveLength(asked ? 3 : 2);
      }
    });

    test("shows usage also when text comes behind the last finish", () => {
      const told = tell(openStream(asked), [finish(0, { usage: REPORTED }), content("a"), DONE]);
      expect([told.fault, contentOf(told)]).toEqual([null, "a"]);
      expect(told.chunks.map(hasUsage)).toEqual([false, false, true]);
      expect(told.chunks.at(-1)).toMatchObject({ id: "c1", model: MODEL, usage: REPORTED });
      expect(choicesOf(told.chunks.at(-1) ?? {})).toHaveLength(asked ? 0 : 1);
    });

    test("of two choices does not end with the report beside the first finish", () => {
      const request = clientRequest(`{"model":"${MODEL}","n":2,"stream":true}`);
      const stream = new OpenAiStream(
        { ...request, includeUsage: asked },
        { asksForStreamUsage: true },
      );
      const early = chunk({
        choices: [{ index: 1, delta: { content: "" } }],
        usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
      });
      const told = tell(stream, [finish(0), early, content("b", 1), finish(1), usageChunk(), DONE]);
      expectComplete(told, asked);
      expect(told.chunks.at(-1)?.["usage"]).toEqual(REPORTED);
    });

    test("goes on after an early report, if the provider does", () => {
      const upstream = [finish(0), usageChunk(), content("b", 1), finish(1), DONE];
      const told = tell(openStream(asked), upstream);
      expect(told.fault).toBeNull();
      expect(told.chunks.filter(hasUsage)).toHaveLength(1);
      expect(told.chunks.filter(isFinish)).toHaveLength(2);
      expect(contentOf(told)).toBe("b");
    });

    test("ends at [DONE], whatever comes behind it", () => {
      const stream = openStream(asked);
      const told = tell(stream, [
        content("a"),
        finish(),
        usageChunk(),
        DONE,
        content("b"),
        ERROR,
        "x",
      ]);
      expectComplete(told, asked);
      expect([contentOf(told), stream.done]).toEqual(["a", true]);
    });

    test("knows the model that served it, and how much was generated", () => {
      const { stream } = tell(openStream(asked), [
        content("abc", 0, { model: "" }),
        content("de", 0, { model: "gpt-5-2025" }),
        finish(0, { model: null }),
        DONE,
      ]);
      expect([stream.servedModel, stream.outputBytes]).toEqual(["gpt-5-2025", 5]);
    });

    test("is what the quirks make of its chunks, each stream for itself", () => {
      const quirks: Partial<OpenAiQuirks> = {
        chunks: () => {
          let count = 0;
          return (given) => {
            count += 1;
            return count === 1 ? null : { ...given, count };
          };
        },
      };
      for (const stream of [openStream(asked, quirks), openStream(asked, quirks)]) {
        const told = tell(stream, [content("a"), content("b"), finish(), usageChunk(), DONE]);
        expectComplete(told, asked);
        expect(contentOf(told)).toBe("b");
        expect(told.chunks.map(({ count }) => count)).toEqual(asked ? [2, 3, 4] : [2, 3]);
      }
    });
  });
}

const FAULTS: readonly [name: string, event: SseEvent, fault: Partial<UpstreamFault>][] = [
  [
    "an error",
    { name: "", data: ERROR },
    { message: "Overloaded", type: "server_error", code: "busy", interrupted: false },
  ],
  ["an event named error", { name: "error", data: '{"message":"No"}' }, { message: "No" }],
  [
    "an error without words",
    { name: "", data: '{"error":true}' },
    { message: "The provider reported an error", type: null, code: null },
  ],
  ["a text", { name: "", data: "oops" }, { body: null, interrupted: false }],
  ["an array", { name: "", data: "[]" }, { body: null }],
  ["nothing", { name: "", data: "" }, { body: null }],
  ["a member given twice", { name: "", data: '{"choices":[{}],"id":1,"id":2}' }, { body: null }],
];

test.each(FAULTS)("%s ends a stream as a fault", (_, event, fault) => {
  const told = tell(openStream(false), [content("a"), event, finish(), DONE]);
  expect(told.fault).toMatchObject(fault);
  expect(contentOf(told)).toBe("a");
});

test("members that say there is no error are none", () => {
  const told = tell(openStream(false), [content("a", 0, { error: null }), finish(), DONE]);
  expectComplete(told, false);
});

const anyMembers = fc.uniqueArray(
  fc.tuple(
    fc.string({ maxLength: 6 }).map((name) => `x_${name}`),
    fc.jsonValue(),
  ),
  { selector: ([name]) => name, maxLength: 5 },
);

/** A chunk as the texts of its members, the model and usage at any place among them or nowhere. */
const anyChunk = fc
  .tuple(
    anyMembers,
    fc.nat({ max: 3 }),
    fc.option(fc.nat({ max: 6 })),
    fc.option(fc.nat({ max: 6 })),
  )
  .map(([members, indent, modelAt, usageAt]) => {
    const texts = members.map(
      ([name, value]) => `${JSON.stringify(name)} : ${JSON.stringify(value, null, indent)}`,
    );
    texts.push('"choices":[ {"index":0,"delta":{ "content":"\\u0061" }} ]');
    if (modelAt !== null) texts.splice(modelAt, 0, '"model": "gpt-5"');
    if (usageAt !== null) texts.splice(usageAt, 0, `"usage":${JSON.stringify(REPORTED)}`);
    return texts;
  });

test.each(BOTH)("any chunk keeps its bytes but for model and usage (asked for: %p)", (asked) => {
  fc.assert(
    fc.property(anyChunk, (texts) => {
      // A stream's data is one line, so what is indented goes without its line ends.
      const lines = texts.map((text) => text.replaceAll("\n", " "));
      const sent = lines.flatMap((text) => {
        if (text.startsWith('"model"')) return [`"model": "${MODEL}"`];
        if (text.startsWith('"usage"')) return asked ? ['"usage":null'] : [];
        return [text];
      });
      if (!lines.some((text) => text.startsWith('"model"'))) sent.push(`"model":"${MODEL}"`);
      if (asked && !lines.some((text) => text.startsWith('"usage"'))) sent.push('"usage":null');
      const text = openStream(asked).push({ name: "", data: `{${lines.join(",")}}` });
      expect(text).toBe(`data: {${sent.join(",")}}\n\n`);
    }),
  );
});

test("a chunk is passed on as it would be alone, whatever chunks like it came before", () => {
  const anyText = fc.oneof(
    fc.string({
      unit: fc.constantFrom("a", '"', "\\", "\n", "}", "\u20ac", "\u{1f600}"),
      maxLength: 6,
    }),
    fc.constantFrom("", "content", '"content":"a"', "data", "null"),
  );
  const anyLike = fc.tuple(
    anyText,
    fc.constantFrom(
      (text: string) => content(text),
      (text: string) => content(text, 0, { obfuscation: text, usage: null }),
      (text: string) => content("same", 0, { obfuscation: text }),
      (text: string) => content(text, 1),
      (text: string) => content(text, 0, { usage: REPORTED }),
      (text: string) => content(text, 0, { model: "gpt-5-2025" }),
      (text: string) => content(text).replace('"content":', '"content" : '),
      (text: string) => content(text).replace('"delta":{', '"delta":{"role":"assistant",'),
      (text: string) => content(text).replace('"delta":{', '"delta":{"content":"a",'),
      (text: string) => content(text, 0, { copy: { content: text } }),
    ),
  );
  fc.assert(
    fc.property(fc.array(anyLike, { maxLength: 30 }), fc.boolean(), (likes, asked) => {
      const stream = openStream(asked);
      let bytes = 0;
      for (const [text, write] of likes) {
        const event = { name: "", data: write(text) };
        const alone = openStream(asked);
        expect(stream.push(event)).toBe(alone.push(event));
        expect(stream.servedModel).toBe(alone.servedModel);
        bytes += alone.outputBytes;
      }
      expect(stream.outputBytes).toBe(bytes);
    }),
    { numRuns: 500 },
  );
});

test("any order of chunks is complete or a fault, and shows usage at most once", () => {
  const anyEvent = fc.constantFrom(
    content("a"),
    content("b", 1, { usage: REPORTED }),
    finish(0),
    finish(1, { usage: REPORTED }),
    usageChunk(),
    usageChunk({ usage: {} }),
    chunk({ choices: [] }),
    DONE,
  );
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 10 }), fc.boolean(), (upstream, asked) => {
      const told = tell(openStream(asked), upstream);
      const read = upstream.slice(
        0,
        upstream.indexOf(DONE) === -1 ? undefined : upstream.indexOf(DONE),
      );
      const expected = read.join("").match(/"content":"./g)?.length ?? 0;
      expect(contentOf(told)).toHaveLength(expected);
      if (told.fault !== null) {
        expect(told.chunks.filter(hasUsage).length).toBeLessThanOrEqual(asked ? 0 : 1);
        return;
      }
      expect(told.events.at(-1)?.data).toBe(DONE);
      expect(told.chunks.filter(hasUsage)).toHaveLength(1);
      expect(told.chunks.filter(isFinish).length).toBeGreaterThan(0);
      if (asked) expectComplete(told, true);
    }),
    { numRuns: 500 },
  );
});
