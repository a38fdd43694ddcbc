import { expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { dataEvent, MAX_EVENT_CHARS, type SseEvent, SseParser } from "../../src/std/sse.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function parse(pieces: readonly Uint8Array[], eventCharsMax?: number): SseEvent[] {
  const parser = new SseParser(eventCharsMax);
  return pieces.flatMap((piece) => parser.push(piece));
}

/** Cuts bytes into pieces of this length; the last one may be shorter. */
function piecesOf(bytes: Uint8Array, length: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  );
}

const named = (name: string, data: string): SseEvent => ({ name, data });

const CASES: readonly [name: string, text: string, events: readonly SseEvent[]][] = [
  ["one event", "data: a\n\n", [named("", "a")]],
  ["several events", "data: a\n\ndata: b\n\n", [named("", "a"), named("", "b")]],
  ["a name before its data", "event: ping\ndata: {}\n\n", [named("ping", "{}")]],
  ["a name after its data", "data: {}\nevent: ping\n\n", [named("ping", "{}")]],
  ["the last of two names", "event: a\nevent: b\ndata: x\n\n", [named("b", "x")]],
  [
    "a name that ends with its event",
    "event: a\ndata: x\n\ndata: y\n\n",
    [named("a", "x"), named("", "y")],
  ],
  ["a name without data", "event: a\n\ndata: y\n\n", [named("", "y")]],
  ["several data lines", "data: a\ndata: b\ndata:\ndata: c\n\n", [named("", "a\nb\n\nc")]],
  ["CRLF", "event: a\r\ndata: x\r\n\r\ndata: y\r\n\r\n", [named("a", "x"), named("", "y")]],
  ["CR", "event: a\rdata: x\r\rdata: y\r\r", [named("a", "x"), named("", "y")]],
  ["LF, CR and CRLF mixed", "data: a\rdata: b\r\ndata: c\n\r\n", [named("", "a\nb\nc")]],
  ["a CR before an LF as one line end", "data: a\r\ndata: b\r\n\r\n", [named("", "a\nb")]],
  [
    "an LF before a CR as two line ends",
    "data: a\n\rdata: b\n\n",
    [named("", "a"), named("", "b")],
  ],
  ["a byte order mark at the start", "\ufeffdata: a\n\n", [named("", "a")]],
  ["a byte order mark inside data", "data: a\ufeffb\n\n", [named("", "a\ufeffb")]],
  ["comments", ": ping\n\n:\ndata: a\n: in between\ndata: b\n\n", [named("", "a\nb")]],
  ["id, retry and unknown fields", "id: 1\nretry: 9\nfoo: bar\ndata: a\n\n", [named("", "a")]],
  ["no space after the colon", "data:a\n\n", [named("", "a")]],
  ["all but the first space", "data:  a \n\n", [named("", " a ")]],
  ["a colon in the value", "data: a: b\n\n", [named("", "a: b")]],
  ["a field without a colon", "data\n\n", [named("", "")]],
  ["a field whose name only begins like data", "database: a\ndata: b\n\n", [named("", "b")]],
  ["a field with a space before it", " data: a\ndata: b\n\n", [named("", "b")]],
  ["empty data", "data:\n\n", [named("", "")]],
  ["blank lines only", "\n\r\n\r\n\n", []],
  ["an event cut off before its blank line", "data: a\n\ndata: b\n", [named("", "a")]],
  ["an event cut off in its line", "data: a\n\ndata: b", [named("", "a")]],
  [
    "characters of two, three and four bytes",
    "event: \u00e9\ndata: \u20ac \u{1f600}\n\n",
    [named("\u00e9", "\u20ac \u{1f600}")],
  ],
  ["line separators that end no line", "data: a\u2028b\u0085c\n\n", [named("", "a\u2028b\u0085c")]],
  [
    "a last event of the wire",
    "data: {}\n\ndata: [DONE]\n\n",
    [named("", "{}"), named("", "[DONE]")],
  ],
];

for (const [name, text, events] of CASES) {
  test(`${name}: the same events from pieces of every length and from every cut in two`, () => {
    const bytes = bytesOf(text);
    expect(parse([bytes])).toEqual([...events]);
    for (let length = 1; length <= bytes.length; length += 1) {
      expect(parse(piecesOf(bytes, length)), `pieces of ${length}`).toEqual([...events]);
    }
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const pieces = [bytes.subarray(0, cut), new Uint8Array(), bytes.subarray(cut)];
      expect(parse(pieces), `cut at ${cut}`).toEqual([...events]);
    }
  });
}

const LINE_ENDS = ["\n", "\r", "\r\n"] as const;
const anyLine = fc.oneof(
  fc.constant(""),
  fc
    .tuple(
      fc.constantFrom("data: ", "data:", "event: ", ": ", "id: ", "data", "other: "),
      fc.string({
        unit: fc.constantFrom("a", ":", " ", "\u00e9", "\u20ac", "\u{1f600}"),
        maxLength: 8,
      }),
    )
    .map(([field, value]) => field + value),
);
const anyStream = fc
  .array(fc.tuple(anyLine, fc.constantFrom(...LINE_ENDS)), { maxLength: 20 })
  .map((lines) => bytesOf(lines.flat().join("")));
const anyCuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 });

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

test("any stream gives the same events wherever it is cut", () => {
  fc.assert(
    fc.property(anyStream, anyCuts, (bytes, cuts) => {
      expect(parse(cutAt(bytes, cuts))).toEqual(parse([bytes]));
    }),
  );
});

test.each([
  ["at an event's end", "data: a\n\n", true],
  ["behind a comment", ": a\n\n", true],
  ["at the end of several", "data: a\r\n\r\ndata: b\r\n\r\n", true],
  ["where a line feed may still follow", "data: a\r\r", false],
  ["inside an event", "data: a\n", false],
  ["behind a name", "event: a\n", false],
  ["inside a line", "data: a\n\nda", false],
  ["at the beginning, where a byte order mark may stand", "", false],
])("a parser is between events, or not: %s", (_, text, between) => {
  const parser = new SseParser();
  parser.push(bytesOf(text));
  expect(parser.isBetweenEvents).toBe(between);
});

test("a parser is not between events inside a character", () => {
  const parser = new SseParser();
  parser.push(bytesOf("data: a\n\n"));
  parser.push(bytesOf("\u00e9").subarray(0, 1));
  expect(parser.isBetweenEvents).toBe(false);
});

test("any events come back from a stream written with any line ends", () => {
  const anyEvent = fc.record({
    name: fc.string({ unit: fc.constantFrom("a", "b", "_") }),
    data: fc.array(fc.string({ unit: fc.constantFrom("x", " ", ":", "\u20ac") }), { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(anyEvent), fc.constantFrom(...LINE_ENDS), anyCuts, (events, end, cuts) => {
      const text = events
        .map(({ name, data }) => {
          const lines = [`event: ${name}`, ...data.map((line) => `data: ${line}`), "", ""];
          return lines.join(end);
        })
        .join("");
      const expected = events.map(({ name, data }) => named(name, data.join("\n")));
      expect(parse(cutAt(bytesOf(text), cuts))).toEqual(expected);
    }),
  );
});

/** Whether an event is too long, said of pieces of every length. */
function isRefused(text: string, eventCharsMax: number): boolean {
  const bytes = bytesOf(text);
  const refusals = Array.from({ length: bytes.length }, (_, index) => {
    try {
      parse(piecesOf(bytes, index + 1), eventCharsMax);
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      expect(String(error)).toContain("Cannot read event: longer than");
      return true;
    }
  });
  expect(new Set(refusals).size).toBe(1);
  return refusals[0] ?? false;
}

const LENGTHS: readonly [name: string, text: string, lengthMax: number][] = [
  ["a line", "data: 0123456789\n\n", 16],
  ["a line that never ends", "data: 0123456789", 16],
  ["the lines of an event together", "event: ab\ndata: cd\ndata: ef\n\n", 25],
  ["a comment that never ends", ": 0123456789", 12],
  ["a comment", ": 0123456789\n\n", 12],
  ["a field that is skipped", "id: 0123456789\n\n", 14],
  ["a comment within an event", "data: a\n: 23456789\n\n", 17],
  ["data lines without any data", "data\ndata\ndata\ndata\n\n", 16],
];

test.each(LENGTHS)("%s may be as long as the limit, in pieces of every length", (_, text, max) => {
  expect(isRefused(text, max)).toBe(false);
  expect(isRefused(text, max - 1)).toBe(true);
});

test("the limit is one of each event, not of the stream", () => {
  const text = "data: 0123456789\n\n".repeat(50);
  expect(isRefused(text, 16)).toBe(false);
  expect(parse([bytesOf(text)], 16)).toHaveLength(50);
});

test("an event of a million characters is read, a longer one is not", () => {
  const fits = "x".repeat(MAX_EVENT_CHARS - "data: ".length);
  expect(parse([bytesOf(`data: ${fits}\n\n`)])).toEqual([named("", fits)]);
  expect(() => parse([bytesOf(`data: ${fits}x\n\n`)])).toThrow(RangeError);
});

test("a long line fed byte by byte is searched once, not once per byte", () => {
  const chars = 20_000;
  const pieces = piecesOf(bytesOf(`data: ${"x".repeat(chars)}\n\n`), 1);
  const search = String.prototype.indexOf;
  let searchedChars = 0;
  const spy = spyOn(String.prototype, "indexOf").mockImplementation(function (
    this: string,
    sought: string,
    from = 0,
  ) {
    const found = search.call(this, sought, from);
    searchedChars += (found === -1 ? this.length : found + 1) - Math.min(from, this.length);
    return found;
  });
  let events: SseEvent[];
  try {
    events = parse(pieces);
  } finally {
    spy.mockRestore();
  }
  expect(events).toEqual([named("", "x".repeat(chars))]);
  expect(searchedChars).toBeGreaterThan(chars);
  expect(searchedChars).toBeLessThan(4 * chars);
});

test("dataEvent() writes what the parser reads, also JSON over several lines", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat({ max: 2 }), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(parse([bytesOf(dataEvent(text))])).toEqual([named("", text)]);
    }),
  );
});
