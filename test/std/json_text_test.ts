import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../src/std/json.ts";
import {
  editObject,
  JsonTextError,
  MAX_JSON_DEPTH,
  MAX_JSON_MEMBERS,
  MAX_JSON_VALUES,
  refuseTooMany,
  scanObject,
} from "../../src/std/json_text.ts";

type Values = Readonly<Record<string, string | undefined>>;

const edit = (text: string, values: Values): string => editObject(text, scanObject(text), values);

const EDITS: readonly [name: string, text: string, values: Values, edited: string][] = [
  ["nothing", '{"a": 1 }', {}, '{"a": 1 }'],
  ["a value set", '{"a": 1, "b": 2}', { a: "9" }, '{"a": 9, "b": 2}'],
  ["a value set to itself", '{"a":1}', { a: "1" }, '{"a":1}'],
  ["values set in any order", '{"a":1,"b":2}', { b: "8", a: "9" }, '{"a":9,"b":8}'],
  ["a member added", '{"a":1}', { b: "2" }, '{"a":1,"b":2}'],
  ["a member added to none", "{}", { b: "2" }, '{"b":2}'],
  ["a member added to white space", " { \n} ", { b: "2" }, ' { \n"b":2} '],
  ["members added", "{}", { b: "2", c: '"x"' }, '{"b":2,"c":"x"}'],
  ["the first left out", '{"a":1,"b":2,"c":3}', { a: undefined }, '{"b":2,"c":3}'],
  ["the middle left out", '{"a":1,"b":2,"c":3}', { b: undefined }, '{"a":1,"c":3}'],
  ["the last left out", '{"a":1,"b":2,"c":3}', { c: undefined }, '{"a":1,"b":2}'],
  ["neighbours left out", '{"a":1,"b":2,"c":3}', { a: undefined, b: undefined }, '{"c":3}'],
  ["all left out", '{"a":1,"b":2}', { a: undefined, b: undefined }, "{}"],
  ["all left out and one added", '{"a":1}', { a: undefined, b: "2" }, '{"b":2}'],
  ["what is not there left out", '{"a":1}', { b: undefined }, '{"a":1}'],
  ["a name with escapes", '{"\\u0061":1}', { a: "2" }, '{"\\u0061":2}'],
  ["a name to be escaped", "{}", { 'a"\n': "2" }, '{"a\\"\\n":2}'],
  ["a brace in a string", '{"a":"}"}', { b: "2" }, '{"a":"}","b":2}'],
  [
    "a quote and a backslash in a string",
    '{"a":"\\\\\\"","b":1}',
    { b: "2" },
    '{"a":"\\\\\\"","b":2}',
  ],
  ["a member of Object's prototype", '{"constructor":1}', {}, '{"constructor":1}'],
  [
    "a member named __proto__",
    '{"__proto__":{"a":1},"b":1}',
    { b: "2" },
    '{"__proto__":{"a":1},"b":2}',
  ],
  [
    "a member named __proto__ left out",
    '{"b":1,"__proto__":{"a":1}}',
    { ["__proto__"]: undefined },
    '{"b":1}',
  ],
];

test.each(EDITS)("%s", (_, text, values, edited) => {
  expect(edit(text, values)).toBe(edited);
});

/** Writes a value as JSON with white space and escapes wherever they may stand. */
function written(value: Json | undefined, draw: (max: number) => number): string {
  const space = (): string => ["", "", " ", "\n", "\t ", "\r\n"][draw(5)] ?? "";
  if (typeof value === "string") return writtenString(value, draw);
  if (Array.isArray(value)) {
    const items = value.map((item) => space() + written(item, draw) + space());
    return `[${items.join(",") || space()}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(
      ([name, member]) =>
        `${space()}${writtenString(name, draw)}${space()}:${space()}${written(member, draw)}${space()}`,
    );
    return `{${members.join(",") || space()}}`;
  }
  return JSON.stringify(value ?? null);
}

function writtenString(text: string, draw: (max: number) => number): string {
  const chars = Array.from({ length: text.length }, (_, index) => {
    const code = text.charCodeAt(index);
    const plain = JSON.stringify(text[index]).slice(1, -1);
    return draw(4) === 0 ? `\\u${code.toString(16).padStart(4, "0")}` : plain;
  });
  return `"${chars.join("")}"`;
}

const NAMES = [
  "a",
  "b",
  "model",
  "usage",
  "__proto__",
  "constructor",
  "",
  "\u20ac",
  "\\",
  '"',
  "{}",
];
const anyName = fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 4 }));
const anyValue = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
const anyMembers = fc.uniqueArray(fc.tuple(anyName, anyValue), {
  selector: ([name]) => name,
  maxLength: 6,
});

/** An object as its members, so that no name means anything to the language, and its text. */
const anyObject = fc
  .tuple(anyMembers, fc.infiniteStream(fc.nat({ max: 60 })))
  .map(([members, chances]) => {
    const draw = (max: number): number => Number(chances.next().value) % (max + 1);
    const space = (): string => ["", " ", "\n"][draw(2)] ?? "";
    const parts = members.map(([name, value]) => {
      return {
        name,
        before: space() + writtenString(name, draw) + space() + ":" + space(),
        value: written(value, draw),
        after: space(),
      };
    });
    const inside = parts.map(({ before, value, after }) => before + value + after).join(",");
    return { parts, text: `${space()}{${inside || space()}}${space()}` };
  });

const anyEdits = fc.uniqueArray(fc.tuple(anyName, fc.option(anyValue, { nil: undefined })), {
  selector: ([name]) => name,
  maxLength: 4,
});

/** Makes a record whose member `__proto__` is a member like any other. */
function record<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries(entries);
}

/** Reads an object's members in order, `__proto__` included. */
function membersOf(text: string): Map<string, unknown> {
  return new Map(Object.entries(JSON.parse(text) as Record<string, unknown>));
}

describe("any object", () => {
  test("is found to have the members that it has, each with the bytes of its value", () => {
    fc.assert(
      fc.property(anyObject, ({ parts, text }) => {
        const members = scanObject(text);
        const found = [...members].map(([name, { start, end }]) => [name, text.slice(start, end)]);
        expect(found).toEqual(parts.map(({ name, value }) => [name, value]));
        for (const [name, span] of members) {
          const member = JSON.parse(`{${text.slice(span.name, span.end)}}`) as object;
          expect(Object.keys(member)).toEqual([name]);
        }
      }),
    );
  });

  test("edited in its text is what it is edited when parsed", () => {
    fc.assert(
      fc.property(anyObject, anyEdits, ({ text }, edits) => {
        const expected = membersOf(text);
        for (const [name, value] of edits) {
          if (value === undefined) expected.delete(name);
          else expected.set(name, JSON.parse(JSON.stringify(value)));
        }
        const values = edits.map(([name, value]) => [name, JSON.stringify(value)] as const);
        const edited = membersOf(edit(text, record<string | undefined>(values)));
        expect(edited).toEqual(expected);
      }),
    );
  });

  test("keeps every byte but those of the values set", () => {
    fc.assert(
      fc.property(anyObject, fc.array(fc.nat({ max: 5 })), ({ parts, text }, chosen) => {
        const set = parts.filter((_, index) => chosen.includes(index)).map(({ name }) => name);
        const edited = edit(text, record(set.map((name) => [name, "0"] as const)));
        const inside = parts.map(
          ({ name, before, value, after }) => before + (set.includes(name) ? "0" : value) + after,
        );
        const open = text.indexOf("{") + 1;
        const close = text.lastIndexOf("}");
        const middle = parts.length === 0 ? text.slice(open, close) : inside.join(",");
        expect(edited).toBe(text.slice(0, open) + middle + text.slice(close));
      }),
    );
  });

  test("keeps the bytes of the members that stay when others are left out", () => {
    fc.assert(
      fc.property(anyObject, fc.array(fc.nat({ max: 5 })), ({ parts, text }, chosen) => {
        const out = parts.filter((_, index) => chosen.includes(index)).map(({ name }) => name);
        const edited = edit(text, record(out.map((name) => [name, undefined] as const)));
        const stay = parts.filter(({ name }) => !out.includes(name));
        const members = [...scanObject(edited)];
        expect(members.map(([, { name, end }]) => edited.slice(name, end))).toEqual(
          stay.map(({ before, value }) => before.trimStart() + value),
        );
      }),
    );
  });
});

describe("scanObject() refuses", () => {
  const TWICE = [
    '{"a":1,"a":1}',
    '{"a":1,"b":{},"a":2}',
    '{"a":1,"\\u0061":1}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ];
  test.each(TWICE)("a member given twice: %s", (text) => {
    expect(() => scanObject(text)).toThrow(JsonTextError);
    expect(() => scanObject(text)).toThrow("is given twice");
  });

  const nested = (depth: number, open = "[", close = "]"): string =>
    `{"a":${open.repeat(depth)}${close.repeat(depth)}}`;

  test("values that nest deeper than the limit, and none that does not", () => {
    expect(scanObject(nested(MAX_JSON_DEPTH)).size).toBe(1);
    expect(() => scanObject(nested(MAX_JSON_DEPTH + 1))).toThrow(JsonTextError);
    expect(scanObject(nested(3), 3).size).toBe(1);
    expect(() => scanObject(nested(4), 3)).toThrow("values nest deeper than 3");
    expect(() => scanObject('{"a":{"b":[{}]}}', 2)).toThrow(JsonTextError);
  });

  test("no wide object for its width, nor brackets inside strings for depth", () => {
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`n${index}`, [[]]]));
    expect(scanObject(JSON.stringify(wide)).size).toBe(500);
    expect(scanObject(`{"a":"${"[{".repeat(500)}","b":["${"[".repeat(500)}"]}`).size).toBe(2);
  });

  test("nothing that only values deeper down have twice", () => {
    expect([...scanObject('{"a":{"b":1,"b":2},"c":[{"a":1}]}').keys()]).toEqual(["a", "c"]);
  });
});

describe("refuseTooMany()", () => {
  const list = (unit: string, count: number): string => `[${Array(count).fill(unit).join(",")}]`;

  test.each(["1", '""', '"[,:"', "[]", "{}"])("counts values in a list of %s", (unit) => {
    // An empty list or object is counted as one that may hold something.
    const count = unit === "[]" || unit === "{}" ? 500 : 1000;
    const text = list(unit, count);
    expect(() => refuseTooMany(text, { valuesMax: 1000, membersMax: 0 })).not.toThrow();
    expect(() => refuseTooMany(text, { valuesMax: 999, membersMax: 0 })).toThrow("999 values");
  });

  test("counts members wherever they are", () => {
    const text = `[{"a":1,"b":{"c":":"}},{"d":"{\\"e\\":1}"}]`;
    expect(() => refuseTooMany(text, { valuesMax: 100, membersMax: 4 })).not.toThrow();
    expect(() => refuseTooMany(text, { valuesMax: 100, membersMax: 3 })).toThrow("3 members");
  });

  test("takes the longest text, and as many values and members as are allowed", () => {
    refuseTooMany(`{"a":"${"x".repeat(10_000_000)}"}`);
    refuseTooMany(list("1", MAX_JSON_VALUES - 2));
    refuseTooMany(list('{"a":1}', MAX_JSON_MEMBERS));
    expect(() => refuseTooMany(list("1", MAX_JSON_VALUES + 1))).toThrow(JsonTextError);
    expect(() => refuseTooMany(list('{"":1}', MAX_JSON_MEMBERS + 1))).toThrow(JsonTextError);
  });

  test("comes to an end on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'"\\[]{}:, a') }), (text) => {
        refuseTooMany(text, { valuesMax: 1000, membersMax: 1000 });
      }),
    );
  });
});
